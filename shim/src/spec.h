// Owns: a parsed shim specification. Refuses: touching the system; checking that paths exist.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "fail.h"

struct strv {
    char **v;  // NULL-terminated when n > 0
    int n, cap;
};

struct spec {
    char *payload;  // every string below points into it
    char *dir;
    struct strv steps, args, cleanup, compress;
    char *fail_file, *pid_file, *console;
    char *stdin_mode;
    char *log_path, *log_attrs, *oom_file;
    int64_t stdin_once, tty, auto_start, session;
    int64_t rows, cols;
    int64_t log_max_size, log_max_files;
    int64_t oom_score_adj;
    bool has_oom_score_adj;
    int64_t drain_ms, linger_ms;
};

bool strv_add(struct strv *l, char *s);
void strv_free(struct strv *l);

void spec_init(struct spec *s);
// One field: 1 taken, 0 the key is not a specification's, -1 failed (stage parse).
int spec_field(struct spec *s, const char *key, char *value, struct fail *f);
// What only the whole shows: required keys, keys that need others. 0 or -1.
int spec_check(const struct spec *s, struct fail *f);
void spec_free(struct spec *s);
