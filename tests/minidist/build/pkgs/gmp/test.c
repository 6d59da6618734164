#include <gmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The arguments are primes p: (p-1)! + 1 is a multiple of each. */
int main(int argc, char **argv)
{
    mpz_t f, one;
    char digits[2000];
    mpz_fac_ui(f, 25);
    if (strcmp(mpz_get_str(digits, f), "15511210043330985984000000")) return 1;
    mpz_set_ui(one, 1);
    for (int i = 1; i < argc; i++) {
        unsigned p = (unsigned) atoi(argv[i]);
        mpz_fac_ui(f, p - 1);
        mpz_add(f, f, one);
        if (mpz_tdiv_q_ui(f, f, p)) return 1;
    }
    printf("%d primes\n", argc - 1);
    return argc < 2;
}
