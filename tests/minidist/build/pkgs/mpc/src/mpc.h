#ifndef MPC_H
#define MPC_H
#include <gmp.h>
typedef struct { mpz_t re, im; } mpc_t[1];
void mpc_norm(mpz_t r, const mpc_t z);         /* re^2 + im^2 */
void mpc_set_e(mpc_t z, unsigned digits);      /* e (1 + i) 10^digits */
#endif
