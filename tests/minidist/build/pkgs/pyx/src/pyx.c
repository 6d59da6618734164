#include <pymodule.h>
#include <stdio.h>

int module_check(void) { return 0; }

int module_main(int argc, char **argv)
{
    (void) argc, (void) argv;
    return puts("%!PS") < 0;
}
