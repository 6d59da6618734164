#include "cliquer.h"
#ifdef HAVE_NAUTY
#include <nauty.h>
#endif

const char *cliquer_features(void)
{
#ifdef HAVE_NAUTY
    return "nauty";
#else
    return "none";
#endif
}

int cliquer_clique_number(int n, unsigned long graph)
{
    int best = 0;
#ifdef HAVE_NAUTY
    graph = nauty_canonical(n, graph);
#endif
    for (unsigned set = 0; set < 1U << n; set++) {
        int size = 0, clique = 1;
        for (int i = 0; i < n; i++) {
            if (!(set >> i & 1)) continue;
            size++;
            for (int j = 0; j < n; j++)
                if (j != i && set >> j & 1 && !(graph >> (i * n + j) & 1)) clique = 0;
        }
        if (clique && size > best) best = size;
    }
    return best;
}
