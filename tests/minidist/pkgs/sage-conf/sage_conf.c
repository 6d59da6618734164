/* Tells other modules how this copy was configured. */
#include <pymodule.h>
#include <stdio.h>

const char *sage_conf(void) { return CONF_SAGE_LOCAL; }

int module_check(void) { return sage_conf()[0] != '/'; }

int module_main(int argc, char **argv)
{
    (void) argc, (void) argv;
    return puts(sage_conf()) < 0;
}
