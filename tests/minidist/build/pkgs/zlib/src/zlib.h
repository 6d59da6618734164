/* The checksums of zlib, under their usual names. */
#ifndef ZLIB_H
#define ZLIB_H
#define ZLIB_VERSION "1.2.13"
const char *zlibVersion(void);
unsigned long crc32(unsigned long crc, const unsigned char *bytes, unsigned n);
unsigned long adler32(unsigned long adler, const unsigned char *bytes, unsigned n);
#endif
