#include <pymodule.h>
#include <stdio.h>
#include <string.h>

/* Does the command's first line contain the text? */
int pexpect_expect(const char *command, const char *text)
{
    char line[1000];
    int (*first_line)(const char *, char *, int) =
        (int (*)(const char *, char *, int)) py_import("ptyprocess", "pty_first_line");
    return first_line && !first_line(command, line, sizeof line) && strstr(line, text);
}

int module_check(void) { return !pexpect_expect("echo 1 2 3", "2"); }

int module_main(int argc, char **argv)
{
    if (argc != 3) return 2;
    return !pexpect_expect(argv[1], argv[2]);
}
