/* pkgconf [--cflags] [--libs] [--modversion] NAME: answers from NAME.pc in
   $PKG_CONFIG_PATH. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct { char name[64], value[512]; } variable[32];
static int variables;

/* Prints text with ${name} replaced. */
static void print_expanded(const char *text)
{
    const char *end;
    while (*text) {
        if (text[0] == '$' && text[1] == '{' && (end = strchr(text, '}'))) {
            for (int i = 0; i < variables; i++)
                if (strlen(variable[i].name) == (size_t)(end - text - 2)
                    && !strncmp(variable[i].name, text + 2, end - text - 2))
                    print_expanded(variable[i].value);
            text = end + 1;
        } else {
            putchar(*text++);
        }
    }
}

static FILE *find(const char *name)
{
    const char *path = getenv("PKG_CONFIG_PATH");
    char file[4096];
    while (path && *path) {
        int length = strcspn(path, ":");
        snprintf(file, sizeof file, "%.*s/%s.pc", length, path, name);
        FILE *f = fopen(file, "r");
        if (f) return f;
        path += length + (path[length] == ':');
    }
    return NULL;
}

int main(int argc, char **argv)
{
    const char *name = NULL;
    int cflags = 0, libs = 0, modversion = 0;
    char line[1024];
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--version")) return puts("1.8.0") < 0;
        else if (!strcmp(argv[i], "--cflags")) cflags = 1;
        else if (!strcmp(argv[i], "--libs")) libs = 1;
        else if (!strcmp(argv[i], "--modversion")) modversion = 1;
        else name = argv[i];
    }
    FILE *f = name ? find(name) : NULL;
    if (!f) {
        fprintf(stderr, "pkgconf: no package '%s' in PKG_CONFIG_PATH\n", name ? name : "");
        return 1;
    }
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        char *separator = line + strcspn(line, "=:");
        char kind = *separator;
        if (!kind) continue;
        *separator = 0;
        char *value = separator + 1 + strspn(separator + 1, " ");
        if (kind == '=' && variables < 32) {
            snprintf(variable[variables].name, sizeof variable->name, "%.63s", line);
            snprintf(variable[variables++].value, sizeof variable->value, "%.511s", value);
        } else if ((cflags && !strcmp(line, "Cflags")) || (libs && !strcmp(line, "Libs"))
                   || (modversion && !strcmp(line, "Version"))) {
            print_expanded(value);
            putchar(' ');
        }
    }
    putchar('\n');
    return fclose(f) != 0;
}
