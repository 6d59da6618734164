#ifndef CLIQUER_H
#define CLIQUER_H
int cliquer_clique_number(int n, unsigned long graph); /* n <= 6; coded as in nauty.h */
const char *cliquer_features(void);
#endif
