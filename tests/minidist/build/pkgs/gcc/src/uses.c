#include <gmp.h>
#include <mpc.h>
#include <mpfr.h>
#include <string.h>
#include <zlib.h>

int main(void)
{
    mpc_t z;
    mpz_t norm, e;
    char digits[64];
    mpz_set_ui(z->re, 3);
    mpz_set_ui(z->im, 4);
    mpc_norm(norm, z);
    mpfr_e(e, 5);
    return mpz_get_ui(norm) != 25 || strcmp(mpz_get_str(digits, e), "271828")
        || crc32(0, (const unsigned char *) "123456789", 9) != 0xcbf43926;
}
