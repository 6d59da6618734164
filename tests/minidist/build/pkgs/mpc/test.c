#include <mpc.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    mpc_t z;
    mpz_t norm;
    char digits[100];
    mpc_set_e(z, 4);
    mpc_norm(norm, z);
    puts(mpz_get_str(digits, norm));
    return strcmp(digits, "1477722248") != 0; /* 2 * 27182^2 */
}
