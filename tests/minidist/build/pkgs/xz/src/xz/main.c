/* xz [-d] [-c]: packs or unpacks standard input. */
#include <stdio.h>
#include <string.h>
#include "../lzma.h"

static unsigned char in[1 << 20], out[1 << 21];

int main(int argc, char **argv)
{
    int unpack = 0;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--version")) return printf("xz %s\n", lzma_version_string()) < 0;
        if (argv[i][0] == '-' && strchr(argv[i], 'd')) unpack = 1;
    }
    size_t n = fread(in, 1, sizeof in, stdin);
    size_t k = (unpack ? lzma_unpack : lzma_pack)(in, n, out, sizeof out);
    return (n && !k) || fwrite(out, 1, k, stdout) != k;
}
