#ifndef MPFR_H
#define MPFR_H
#include <gmp.h>
void mpfr_e(mpz_t r, unsigned digits); /* the number e times 10^digits */
#endif
