#include <pymodule.h>
#include <stdio.h>

int module_check(void)
{
    int (*expect)(const char *, const char *) =
        (int (*)(const char *, const char *)) py_import("pexpect", "pexpect_expect");
    return !expect || !expect("python3 --version", "Python 3");
}

int module_main(int argc, char **argv)
{
    (void) argc, (void) argv;
    return puts("IPython 8.6.0") < 0;
}
