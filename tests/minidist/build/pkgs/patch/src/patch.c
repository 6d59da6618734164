/* patch -pN < FILE: applies unified diffs. The context must match, but may
   have moved. Files are neither created nor deleted, and nothing is written
   for a file of which some hunk fails. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINES = 20000, MAX_LENGTH = 2000 };

struct text { char *line[MAX_LINES]; int n; };

static char *copy(const char *s)
{
    char *t = malloc(strlen(s) + 1);
    if (!t) exit(2);
    return strcpy(t, s);
}

static void read_text(struct text *t, FILE *f)
{
    char buffer[MAX_LENGTH];
    t->n = 0;
    while (t->n < MAX_LINES && fgets(buffer, sizeof buffer, f))
        t->line[t->n++] = copy(buffer);
}

static const char *strip(char *name, int components)
{
    char *slash;
    name[strcspn(name, "\t\r\n")] = 0;
    while (components-- > 0 && (slash = strchr(name, '/')))
        name = slash + 1;
    return name;
}

/* Do the ' ' and '-' lines of the hunk stand at file line `at`? */
static int matches(const struct text *diff, int from, int to, const struct text *file, int at)
{
    for (int i = from; i < to; i++)
        if (diff->line[i][0] == ' ' || diff->line[i][0] == '-') {
            if (at < 0 || at >= file->n || strcmp(diff->line[i] + 1, file->line[at]))
                return 0;
            at++;
        }
    return 1;
}

static struct text diff, file, out;

int main(int argc, char **argv)
{
    int components = 0, i = 0;
    for (int a = 1; a < argc; a++) {
        if (!strcmp(argv[a], "--version")) return puts("patch 2.7.6 (minidist)") < 0;
        if (!strncmp(argv[a], "-p", 2)) components = atoi(argv[a] + 2);
    }
    read_text(&diff, stdin);
    while (i < diff.n) {
        if (strncmp(diff.line[i], "+++ ", 4)) { i++; continue; }
        const char *name = strip(diff.line[i++] + 4, components);
        FILE *f = fopen(name, "r");
        if (!f) { perror(name); return 1; }
        read_text(&file, f);
        fclose(f);
        out.n = 0;
        int done = 0; /* lines of file that are in out, or dropped */
        while (i < diff.n && !strncmp(diff.line[i], "@@ ", 3)) {
            int from = i + 1, to = from, at = -1;
            int start = atoi(diff.line[i] + 4) - 1;
            while (to < diff.n && strchr(" +-\\", diff.line[to][0]) && strncmp(diff.line[to], "--- ", 4))
                to++;
            for (int off = 0; at < 0 && off <= file.n; off++) {
                if (start + off >= done && matches(&diff, from, to, &file, start + off)) at = start + off;
                else if (start - off >= done && matches(&diff, from, to, &file, start - off)) at = start - off;
            }
            if (at < 0) { fprintf(stderr, "patch: %s: hunk at line %d does not apply\n", name, start + 1); return 1; }
            while (done < at) out.line[out.n++] = file.line[done++];
            for (i = from; i < to; i++) {
                if (diff.line[i][0] == ' ') out.line[out.n++] = file.line[done++];
                else if (diff.line[i][0] == '-') done++;
                else if (diff.line[i][0] == '+') out.line[out.n++] = diff.line[i] + 1;
            }
        }
        while (done < file.n) out.line[out.n++] = file.line[done++];
        if (!(f = fopen(name, "w"))) { perror(name); return 1; }
        for (int k = 0; k < out.n; k++) fputs(out.line[k], f);
        if (fclose(f)) { perror(name); return 1; }
        printf("patching file %s\n", name);
    }
    return 0;
}
