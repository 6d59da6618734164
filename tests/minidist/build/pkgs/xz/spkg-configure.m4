dnl Only the program; the library is the business of liblzma.
    [ "$(command -v xz >&5 && printf sage | xz -c 2>&5 | xz -dc 2>&5)" = sage ]
