/* python3 -m cython IN.pyx OUT.c. A line `def NAME(A, B): EXPRESSION` becomes
   a C function of long integers, `cimport NAME` includes NAME.h, # starts a
   comment; the rest is C already. */
#include <pymodule.h>
#include <stdio.h>
#include <string.h>

int module_check(void) { return 0; }

static void define(char *line, FILE *out)
{
    char *p = strchr(line, '('), *end = p ? strchr(p, ')') : NULL;
    if (!end || end[1] != ':') {
        fprintf(out, "#error \"not a definition: %s\"\n", line);
        return;
    }
    *p = *end = 0;
    fprintf(out, "long %s(", line + 4);
    char *word = strtok(p + 1, ", ");
    for (int n = 0; word || !n; word = strtok(NULL, ", "), n++)
        fprintf(out, "%s%s", !word ? "void" : n ? ", long " : "long ", word ? word : "");
    fprintf(out, ") { return %s; }\n", end + 2);
}

int module_main(int argc, char **argv)
{
    char line[2000];
    int number = 0;
    FILE *in = argc == 3 ? fopen(argv[1], "r") : NULL, *out = in ? fopen(argv[2], "w") : NULL;
    if (!out) {
        fprintf(stderr, "usage: python3 -m cython IN.pyx OUT.c\n");
        return 1;
    }
    fprintf(out, "/* cython 0.29.32 */\n");
    while (fgets(line, sizeof line, in)) {
        line[strcspn(line, "\n")] = 0;
        number++;
        if (line[0] == '#' || !line[strspn(line, " \t")]) continue;
        fprintf(out, "#line %d \"%s\"\n", number, argv[1]);
        if (!strncmp(line, "def ", 4)) define(line, out);
        else if (!strncmp(line, "cimport ", 8)) fprintf(out, "#include <%s.h>\n", line + 8);
        else fprintf(out, "%s\n", line);
    }
    return fclose(in) | fclose(out);
}
