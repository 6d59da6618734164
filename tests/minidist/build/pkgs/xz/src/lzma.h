/* A run-length code in place of the real thing: pairs (count, byte). */
#ifndef LZMA_H
#define LZMA_H
#include <stddef.h>
const char *lzma_version_string(void);
/* Both return the number of bytes written, or 0 if there is no room. */
size_t lzma_pack(const unsigned char *in, size_t n, unsigned char *out, size_t room);
size_t lzma_unpack(const unsigned char *in, size_t n, unsigned char *out, size_t room);
#endif
