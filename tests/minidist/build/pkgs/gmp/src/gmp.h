/* Natural numbers below 2^4096. As in the real library, a variable is an
   array of one struct, so that functions can change it. */
#ifndef GMP_H
#define GMP_H
enum { MPZ_LIMBS = 128 };
typedef struct { int n; unsigned limb[MPZ_LIMBS]; } mpz_t[1];
void mpz_set_ui(mpz_t r, unsigned long a);
unsigned long mpz_get_ui(const mpz_t a);
void mpz_add(mpz_t r, const mpz_t a, const mpz_t b);
void mpz_mul(mpz_t r, const mpz_t a, const mpz_t b);
void mpz_mul_ui(mpz_t r, const mpz_t a, unsigned b);
unsigned mpz_tdiv_q_ui(mpz_t q, const mpz_t a, unsigned b); /* returns the remainder */
void mpz_fac_ui(mpz_t r, unsigned n);
char *mpz_get_str(char *digits, const mpz_t a);
#endif
