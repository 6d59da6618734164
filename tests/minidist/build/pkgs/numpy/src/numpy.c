#include <cblas.h>
#include <pymodule.h>
#include <stdio.h>

long triangle(long n); /* from index.pyx */

int module_check(void)
{
    double x[3] = {1, 2, 3}, y[3] = {4, -5, 6};
    return cblas_ddot(3, x, 1, y, 1) != 12 || cblas_dasum(3, y, 1) != 15 || triangle(4) != 10;
}

int module_main(int argc, char **argv)
{
    (void) argc, (void) argv;
    return puts("numpy 1.23.5") < 0;
}
