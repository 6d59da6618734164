/* python3 -m sage COMMAND ARG...; see sage/tests for the commands */
#include <pymodule.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sage.h"

static int print_digits(const char *function, const char *argument)
{
    char digits[2000];
    char *(*f)(unsigned, char *) = (char *(*)(unsigned, char *)) py_import("gmpy2", function);
    return !f || puts(f((unsigned) atoi(argument), digits)) < 0;
}

int module_check(void)
{
    int (*numpy_check)(void) = (int (*)(void)) py_import("numpy", "module_check");
    const char *(*conf)(void) = (const char *(*)(void)) py_import("sage_conf", "sage_conf");
    return !numpy_check || numpy_check() || !conf || gcd(12, 18) != 6;
}

int module_main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    if (argc == 3 && !strcmp(command, "factorial")) return print_digits("gmpy2_factorial", argv[2]);
    if (argc == 3 && !strcmp(command, "e")) return print_digits("gmpy2_e", argv[2]);
    if (argc == 4 && !strcmp(command, "gcd")) return printf("%ld\n", gcd(atol(argv[2]), atol(argv[3]))) < 0;
    if (argc == 4 && !strcmp(command, "binomial")) return printf("%ld\n", binomial(atol(argv[2]), atol(argv[3]))) < 0;
    if (argc == 3 && !strcmp(command, "clique_number")) return printf("%d\n", clique_number(argv[2])) < 0;
    if (argc == 4 && !strcmp(command, "conway")) return print_conway(argv[2], argv[3]);
    if (argc == 3 && !strcmp(command, "render")) return render(argv[2]);
    fprintf(stderr, "sage: unknown command '%s'\n", command);
    return 2;
}
