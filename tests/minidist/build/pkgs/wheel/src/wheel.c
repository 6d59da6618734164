/* python3 -m wheel pack NAME VERSION FILE WHEEL: a wheel is a line with the
   magic word, the name and the version, followed by the module. */
#include <pymodule.h>
#include <stdio.h>
#include <string.h>

int module_check(void) { return 0; }

int module_main(int argc, char **argv)
{
    char buffer[65536];
    size_t n;
    if (argc != 6 || strcmp(argv[1], "pack")) {
        fprintf(stderr, "usage: python3 -m wheel pack NAME VERSION FILE WHEEL\n");
        return 2;
    }
    FILE *in = fopen(argv[4], "rb"), *out = fopen(argv[5], "wb");
    if (!in || !out) {
        perror("wheel");
        return 1;
    }
    fprintf(out, "miniwheel %s %s\n", argv[2], argv[3]);
    while ((n = fread(buffer, 1, sizeof buffer, in)) > 0) fwrite(buffer, 1, n, out);
    return ferror(in) | fclose(in) | fclose(out);
}
