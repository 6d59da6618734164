#ifndef READLINE_H
#define READLINE_H
char *readline(const char *prompt); /* a line of standard input, or NULL; to be freed */
#endif
