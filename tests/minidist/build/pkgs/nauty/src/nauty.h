#ifndef NAUTY_H
#define NAUTY_H
/* The smallest code of a graph on n <= 6 vertices under relabelling; bit
   i*n+j of a code is the edge from i to j. */
unsigned long nauty_canonical(int n, unsigned long graph);
#endif
