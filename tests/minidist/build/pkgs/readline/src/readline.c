#include "readline.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *readline(const char *prompt)
{
    char buffer[4096];
    fputs(prompt, stdout);
    fflush(stdout);
    if (!fgets(buffer, sizeof buffer, stdin)) return NULL;
    buffer[strcspn(buffer, "\n")] = 0;
    char *line = malloc(strlen(buffer) + 1);
    return line ? strcpy(line, buffer) : NULL;
}
