#include "gmp.h"
#include <string.h>

typedef unsigned long long wide;

static void trim(mpz_t r)
{
    while (r->n && !r->limb[r->n - 1]) r->n--;
}

void mpz_set_ui(mpz_t r, unsigned long a)
{
    for (r->n = 0; a; a = (unsigned long) ((wide) a >> 32)) r->limb[r->n++] = (unsigned) a;
}

unsigned long mpz_get_ui(const mpz_t a)
{
    wide r = a->n ? a->limb[0] : 0;
    if (a->n > 1) r |= (wide) a->limb[1] << 32;
    return (unsigned long) r;
}

void mpz_add(mpz_t r, const mpz_t a, const mpz_t b)
{
    int n = a->n > b->n ? a->n : b->n;
    wide carry = 0;
    for (int i = 0; i < n; i++) {
        carry += (wide) (i < a->n ? a->limb[i] : 0) + (i < b->n ? b->limb[i] : 0);
        r->limb[i] = (unsigned) carry;
        carry >>= 32;
    }
    r->n = n;
    if (carry && n < MPZ_LIMBS) r->limb[r->n++] = (unsigned) carry;
}

void mpz_mul(mpz_t r, const mpz_t a, const mpz_t b)
{
    mpz_t p;
    memset(p, 0, sizeof p);
    p->n = a->n + b->n < MPZ_LIMBS ? a->n + b->n : MPZ_LIMBS;
    for (int i = 0; i < a->n; i++) {
        wide carry = 0;
        for (int k = 0; i + k < p->n; k++) {
            carry += p->limb[i + k];
            if (k < b->n) carry += (wide) a->limb[i] * b->limb[k];
            p->limb[i + k] = (unsigned) carry;
            carry >>= 32;
        }
    }
    trim(p);
    *r = *p;
}

void mpz_mul_ui(mpz_t r, const mpz_t a, unsigned b)
{
    mpz_t m;
    mpz_set_ui(m, b);
    mpz_mul(r, a, m);
}

unsigned mpz_tdiv_q_ui(mpz_t q, const mpz_t a, unsigned b)
{
    wide rest = 0;
    q->n = a->n;
    for (int i = a->n - 1; i >= 0; i--) {
        rest = rest << 32 | a->limb[i];
        q->limb[i] = (unsigned) (rest / b);
        rest %= b;
    }
    trim(q);
    return (unsigned) rest;
}

void mpz_fac_ui(mpz_t r, unsigned n)
{
    for (mpz_set_ui(r, 1); n > 1; n--) mpz_mul_ui(r, r, n);
}

char *mpz_get_str(char *digits, const mpz_t a)
{
    mpz_t q = {*a};
    char *end = digits;
    do *end++ = (char) ('0' + mpz_tdiv_q_ui(q, q, 10)); while (q->n);
    *end = 0;
    for (char *p = digits; p < --end; p++) {
        char c = *p;
        *p = *end;
        *end = c;
    }
    return digits;
}
