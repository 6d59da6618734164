#include "lzma.h"

const char *lzma_version_string(void) { return "5.4.1"; }

size_t lzma_pack(const unsigned char *in, size_t n, unsigned char *out, size_t room)
{
    size_t k = 0;
    for (size_t i = 0; i < n;) {
        size_t run = 1;
        while (i + run < n && run < 255 && in[i + run] == in[i]) run++;
        if (k + 2 > room) return 0;
        out[k++] = (unsigned char) run;
        out[k++] = in[i];
        i += run;
    }
    return k;
}

size_t lzma_unpack(const unsigned char *in, size_t n, unsigned char *out, size_t room)
{
    size_t k = 0;
    for (size_t i = 0; i + 1 < n; i += 2)
        for (int run = in[i]; run > 0; run--) {
            if (k == room) return 0;
            out[k++] = in[i + 1];
        }
    return k;
}
