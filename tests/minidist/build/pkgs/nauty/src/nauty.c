#include "nauty.h"

static unsigned long best;

static void permute(int n, unsigned long graph, int *label, int fixed)
{
    if (fixed == n) {
        unsigned long code = 0;
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
                if (graph >> (i * n + j) & 1) code |= 1UL << (label[i] * n + label[j]);
        if (code < best) best = code;
        return;
    }
    for (int i = fixed; i < n; i++) {
        int swap = label[fixed];
        label[fixed] = label[i];
        label[i] = swap;
        permute(n, graph, label, fixed + 1);
        label[i] = label[fixed];
        label[fixed] = swap;
    }
}

unsigned long nauty_canonical(int n, unsigned long graph)
{
    int label[6] = {0, 1, 2, 3, 4, 5};
    best = ~0UL;
    permute(n, graph, label, 0);
    return best;
}
