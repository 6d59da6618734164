#include <cliquer.h>
#include "../sage.h"

int clique_number(const char *edges)
{
    unsigned long graph = 0;
    for (; edges[0] && edges[1]; edges += edges[2] ? 3 : 2) {
        int i = edges[0] - '0', j = edges[1] - '0';
        graph |= 1UL << (i * 6 + j) | 1UL << (j * 6 + i);
    }
    return cliquer_clique_number(6, graph);
}
