#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../sage.h"

/* Text to HTML: |COMMAND| becomes what `sage COMMAND` prints. */
int render(const char *file)
{
    char line[1000], command[1100], result[1000];
    FILE *f = fopen(file, "r");
    if (!f) {
        perror(file);
        return 1;
    }
    puts("<html><body>");
    while (fgets(line, sizeof line, f)) {
        char *p = line, *bar, *end;
        while ((bar = strchr(p, '|')) && (end = strchr(bar + 1, '|'))) {
            *bar = *end = 0;
            snprintf(command, sizeof command, "sage %s", bar + 1);
            FILE *pipe = popen(command, "r");
            if (!pipe || !fgets(result, sizeof result, pipe) || pclose(pipe)) {
                fprintf(stderr, "render: '%s' failed\n", command);
                return 1;
            }
            result[strcspn(result, "\n")] = 0;
            printf("%s<b>%s</b>", p, result);
            p = end + 1;
        }
        fputs(*p == '\n' && p == line ? "<p>\n" : p, stdout);
    }
    puts("</body></html>");
    return fclose(f);
}
