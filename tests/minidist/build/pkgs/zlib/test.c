#include <stdio.h>
#include <string.h>
#include <zlib.h>

int main(void)
{
    unsigned char bytes[5000];
    memset(bytes, 0xff, sizeof bytes);
    unsigned long crc = crc32(0, (const unsigned char *) "123456789", 9);
    unsigned long adler = adler32(adler32(0, 0, 0), bytes, sizeof bytes);
    printf("crc32 %08lx, adler32 %08lx\n", crc, adler);
    return crc != 0xcbf43926UL || adler != 0x54b27596UL;
}
