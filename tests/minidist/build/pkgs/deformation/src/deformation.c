#include <mpc.h>
#include <stdio.h>

int main(void)
{
    mpc_t z;
    mpz_t norm;
    mpc_set_e(z, 2);
    mpc_norm(norm, z);
    return printf("%lu\n", mpz_get_ui(norm)) < 0;
}
