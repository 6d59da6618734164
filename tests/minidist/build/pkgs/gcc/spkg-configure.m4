dnl Any compiler for C11 will do.
    try_link '#include <stdio.h>
_Static_assert(__STDC_VERSION__ >= 201112L, "C11");
int main(void) { puts("C11"); return 0; }'
