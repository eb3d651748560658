// Owns: running all unit tests and saying how many passed. Refuses: choosing among them.
#include <stdio.h>
#include <stdlib.h>

#include "test.h"

void check_at(struct tally *t, bool ok, const char *what, const char *file, int line) {
    if (ok) {
        t->passed++;
        return;
    }
    t->failed++;
    printf("%s:%d: not so: %s\n", file, line, what);
}

char *slurp(const char *path, size_t *len) {
    FILE *f = fopen(path, "rb");
    *len = 0;
    if (!f) return NULL;
    size_t cap = 1 << 20;
    char *data = malloc(cap + 1);
    *len = fread(data, 1, cap, f);
    data[*len] = 0;
    fclose(f);
    return data;
}

int main(void) {
    struct tally t = {0};
    test_frame(&t);
    test_spec(&t);
    test_json(&t);
    test_log(&t);
    test_rotate(&t);
    test_steps(&t);
    printf("%d passed, %d failed\n", t.passed, t.failed);
    return t.failed != 0;
}
