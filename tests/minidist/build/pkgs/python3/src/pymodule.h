/* What a module is: a shared object with these two functions. */
#ifndef PYMODULE_H
#define PYMODULE_H
int module_check(void);                    /* upon import; 0: fine */
int module_main(int argc, char **argv);    /* python3 -m NAME */

/* A symbol of another module, or NULL. Modules share no other names. */
void *py_import(const char *module, const char *symbol);
#endif
