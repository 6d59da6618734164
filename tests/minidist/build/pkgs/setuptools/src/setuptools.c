/* python3 -m setuptools flags: how to compile a module */
#include <pymodule.h>
#include <stdio.h>
#include <string.h>

int module_check(void) { return 0; }

int module_main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "flags"))
        return puts("-shared -fPIC -fvisibility=default -I" PYTHON_INCLUDE) < 0;
    fprintf(stderr, "usage: python3 -m setuptools flags\n");
    return 2;
}
