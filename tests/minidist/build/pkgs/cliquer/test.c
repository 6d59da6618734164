#include <cliquer.h>
#include <stdio.h>

int main(void)
{
    /* A triangle with one more vertex, adjacent to one of its corners */
    unsigned long graph = 0;
    static const int edge[4][2] = {{0, 1}, {1, 2}, {0, 2}, {2, 3}};
    for (int e = 0; e < 4; e++)
        graph |= 1UL << (edge[e][0] * 4 + edge[e][1]) | 1UL << (edge[e][1] * 4 + edge[e][0]);
    printf("clique number %d, features: %s\n", cliquer_clique_number(4, graph), cliquer_features());
    return cliquer_clique_number(4, graph) != 3;
}
