/* A stand-in for Python: modules are shared objects, and the language is
   `import NAME; import NAME...`. */
#include <dlfcn.h>
#include <lzma.h>
#include <readline.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include "pymodule.h"

void *py_import(const char *module, const char *symbol)
{
    const char *path = getenv("PYTHONPATH");
    char file[4096] = "";
    while (path && *path) {
        int length = (int) strcspn(path, ":");
        snprintf(file, sizeof file, "%.*s/%s.so", length, path, module);
        if (!access(file, R_OK)) break;
        path += length + (path[length] == ':');
    }
    if (!path || !*path) snprintf(file, sizeof file, "%s/%s.so", SITE_PACKAGES, module);
    void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    void *found = handle ? dlsym(handle, symbol) : NULL;
    if (!found) fprintf(stderr, "ImportError: %s\n", dlerror());
    return found;
}

static int run(char *program)
{
    for (char *word = strtok(program, "; \n"); word; word = strtok(NULL, "; \n")) {
        char name[100];
        if (!strcmp(word, "import")) continue;
        snprintf(name, sizeof name, "%s", word);
        int (*check)(void) = (int (*)(void)) py_import(name, "module_check");
        if (!check) return 1;
        if (check()) {
            fprintf(stderr, "ImportError: %s does not work\n", name);
            return 1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && (!strcmp(argv[1], "-V") || !strcmp(argv[1], "--version"))) {
        unsigned long crc = crc32(0, (const unsigned char *) "123456789", 9);
        printf("Python 3.11.1 (crc %08lx, zlib %s, lzma %s)\n", crc, zlibVersion(), lzma_version_string());
        return crc != 0xcbf43926UL;
    }
    if (argc == 3 && !strcmp(argv[1], "-c")) return run(argv[2]);
    if (argc >= 3 && !strcmp(argv[1], "-m")) {
        int (*run_module)(int, char **) = (int (*)(int, char **)) py_import(argv[2], "module_main");
        return run_module ? run_module(argc - 2, argv + 2) : 1;
    }
    if (argc > 1) {
        fprintf(stderr, "usage: python3 [-V | -c PROGRAM | -m MODULE ARG...]\n");
        return 2;
    }
    for (char *line; (line = readline(">>> ")); free(line)) run(line);
    return 0;
}
