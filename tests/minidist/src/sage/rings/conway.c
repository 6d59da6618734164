#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../sage.h"

int print_conway(const char *p, const char *n)
{
    char file[4096], line[200], start[50];
    snprintf(file, sizeof file, "%s/share/conway_polynomials/table.txt", getenv("SAGE_LOCAL"));
    snprintf(start, sizeof start, "%s %s ", p, n);
    FILE *table = fopen(file, "r");
    if (!table) {
        perror(file);
        return 1;
    }
    while (fgets(line, sizeof line, table))
        if (!strncmp(line, start, strlen(start))) {
            fputs(line + strlen(start), stdout);
            return fclose(table);
        }
    fclose(table);
    return puts("none") < 0;
}
