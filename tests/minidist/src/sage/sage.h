/* The parts of the library, as sage/all.c sees them */
#ifndef SAGE_H
#define SAGE_H
long gcd(long a, long b);                      /* rings/integer.pyx */
long binomial(long n, long k);
int clique_number(const char *edges);          /* graphs/graph.c: "01 12 02" */
int render(const char *file);                  /* misc/render.c */
int print_conway(const char *p, const char *n); /* rings/conway.c */
#endif
