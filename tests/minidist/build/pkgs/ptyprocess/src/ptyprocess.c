#include <pymodule.h>
#include <stdio.h>
#include <string.h>

/* For pexpect: the first line that a command prints */
int pty_first_line(const char *command, char *line, int size)
{
    FILE *pipe = popen(command, "r");
    if (!pipe) return 1;
    if (!fgets(line, size, pipe)) line[0] = 0;
    line[strcspn(line, "\n")] = 0;
    return pclose(pipe);
}

int module_check(void)
{
    char line[100];
    return pty_first_line("echo hello", line, sizeof line) || strcmp(line, "hello");
}

int module_main(int argc, char **argv)
{
    (void) argc, (void) argv;
    return module_check();
}
