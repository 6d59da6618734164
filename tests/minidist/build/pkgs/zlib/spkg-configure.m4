    try_link '#include <zlib.h>
int main(void) { return crc32(0, (const unsigned char *) "123456789", 9) != 0xcbf43926; }' -lz
