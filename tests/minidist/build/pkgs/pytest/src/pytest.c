/* python3 -m pytest MODULE...: imports them, which checks them */
#include <pymodule.h>
#include <stdio.h>

int module_check(void) { return 0; }

int module_main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        int (*check)(void) = (int (*)(void)) py_import(argv[i], "module_check");
        if (!check || check()) {
            printf("FAILED %s\n", argv[i]);
            failed++;
        }
    }
    printf("%d passed, %d failed\n", argc - 1 - failed, failed);
    return failed != 0;
}
