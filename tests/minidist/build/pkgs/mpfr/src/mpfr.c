#include "mpfr.h"

/* The sum of 1/k!, with guard digits for the truncations. */
void mpfr_e(mpz_t r, unsigned digits)
{
    enum { GUARD = 0 };
    mpz_t term;
    mpz_set_ui(term, 1);
    for (unsigned i = 0; i < digits + GUARD; i++) mpz_mul_ui(term, term, 10);
    mpz_set_ui(r, 0);
    for (unsigned k = 1; term->n; k++) {
        mpz_add(r, r, term);
        mpz_tdiv_q_ui(term, term, k);
    }
    for (unsigned i = 0; i < GUARD; i++) mpz_tdiv_q_ui(r, r, 10);
}
