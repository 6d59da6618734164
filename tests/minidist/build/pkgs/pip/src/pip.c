/* python3 -m pip install [--root DIR] WHEEL | uninstall NAME | --version */
#include <pymodule.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *root = "";

static int make_directories(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0777);
        *slash = '/';
    }
    return mkdir(path, 0777);
}

static void place(char *path, size_t size, const char *name, const char *suffix)
{
    snprintf(path, size, "%s%s/lib/python3/site-packages%s%s%s", root, getenv("SAGE_VENV"),
             *name ? "/" : "", name, suffix);
}

static int install(const char *wheel)
{
    char name[100], version[100], path[4096], temporary[4096], buffer[65536];
    size_t n;
    FILE *in = fopen(wheel, "rb"), *out;
    if (!in || fscanf(in, "miniwheel %99s %99s", name, version) != 2 || fgetc(in) != '\n') {
        fprintf(stderr, "pip: %s is not a wheel\n", wheel);
        return 1;
    }
    place(path, sizeof path, "", "");
    make_directories(path);
    place(path, sizeof path, name, ".so");
    place(temporary, sizeof temporary, name, ".so.tmp");
    if (!(out = fopen(temporary, "wb"))) {
        perror(temporary);
        return 1;
    }
    while ((n = fread(buffer, 1, sizeof buffer, in)) > 0) fwrite(buffer, 1, n, out);
    if (ferror(in) | fclose(in) | fclose(out) | rename(temporary, path)) return 1;
    place(path, sizeof path, name, ".dist-info");
    if (!(out = fopen(path, "w"))) return 1;
    fprintf(out, "Name: %s\nVersion: %s\n", name, version);
    printf("Successfully installed %s-%s\n", name, version);
    return fclose(out);
}

static int uninstall(const char *name)
{
    char path[4096];
    place(path, sizeof path, name, ".dist-info");
    int missing = remove(path);
    place(path, sizeof path, name, ".so");
    missing |= remove(path);
    printf(missing ? "%s is not installed\n" : "Uninstalled %s\n", name);
    return 0;
}

int module_check(void) { return getenv("SAGE_VENV") == NULL; }

int module_main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--version")) return puts("pip 22.3.1") < 0;
    if (argc == 5 && !strcmp(argv[2], "--root")) {
        root = argv[3];
        argv[2] = argv[4];
        argc = 3;
    }
    if (argc == 3 && !strcmp(argv[1], "install")) return install(argv[2]);
    if (argc == 3 && !strcmp(argv[1], "uninstall")) return uninstall(argv[2]);
    fprintf(stderr, "usage: python3 -m pip install [--root DIR] WHEEL | uninstall NAME | --version\n");
    return 2;
}
