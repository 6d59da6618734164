    try_link '#include <lzma.h>
int main(void) { return lzma_version_string()[0] != 53; }' -llzma
