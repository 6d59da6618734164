#include <mpfr.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    mpz_t e;
    char digits[100];
    mpfr_e(e, 40);
    puts(mpz_get_str(digits, e));
    return strcmp(digits, "27182818284590452353602874713526624977572") != 0;
}
