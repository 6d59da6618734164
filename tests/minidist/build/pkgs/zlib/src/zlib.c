#include "zlib.h"

const char *zlibVersion(void) { return ZLIB_VERSION; }

unsigned long crc32(unsigned long crc, const unsigned char *bytes, unsigned n)
{
    if (!bytes) return 0;
    crc = ~crc & 0xffffffffUL;
    while (n--) {
        crc ^= *bytes++;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320UL : 0);
    }
    return ~crc & 0xffffffffUL;
}

unsigned long adler32(unsigned long adler, const unsigned char *bytes, unsigned n)
{
    unsigned long a = adler & 0xffff, b = adler >> 16;
    if (!bytes) return 0;
    while (n--) {
        a = (a + *bytes++) % 65536;
        b = (b + a) % 65536;
    }
    return b << 16 | a;
}
