#include "mpc.h"
#include <mpfr.h>

void mpc_norm(mpz_t r, const mpc_t z)
{
    mpz_t square;
    mpz_mul(square, z->re, z->re);
    mpz_mul(r, z->im, z->im);
    mpz_add(r, r, square);
}

void mpc_set_e(mpc_t z, unsigned digits)
{
    mpfr_e(z->re, digits);
    *z->im = *z->re;
}
