#include <gmp.h>
#include <mpc.h>
#include <mpfr.h>
#include <pymodule.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For other modules: n! and the digits of e */
char *gmpy2_factorial(unsigned n, char *digits)
{
    mpz_t f;
    mpz_fac_ui(f, n);
    return mpz_get_str(digits, f);
}

char *gmpy2_e(unsigned n, char *digits)
{
    mpz_t e;
    mpfr_e(e, n);
    return mpz_get_str(digits, e);
}

int module_check(void)
{
    char digits[2000];
    mpc_t z;
    mpz_t norm;
    mpc_set_e(z, 0);
    mpc_norm(norm, z);
    return mpz_get_ui(norm) != 8 || strcmp(gmpy2_factorial(10, digits), "3628800")
        || strcmp(gmpy2_e(10, digits), "27182818284");
}

int module_main(int argc, char **argv)
{
    char digits[2000];
    if (argc != 2) return 2;
    return puts(gmpy2_factorial((unsigned) atoi(argv[1]), digits)) < 0;
}
