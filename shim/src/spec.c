// Owns: turning specification fields into a struct spec. Refuses: unknown keys, bad numbers, half a specification.
#include "spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"

enum kind { TEXT, LIST, NUM };

struct key {
    const char *name;
    enum kind kind;
    size_t offset;
    int64_t min, max;
};

#define AT(field) __builtin_offsetof(struct spec, field)

static const struct key keys[] = {
    {"dir", TEXT, AT(dir), 0, 0},
    {"step", LIST, AT(steps), 0, 0},
    {"arg", LIST, AT(args), 0, 0},
    {"fail-file", TEXT, AT(fail_file), 0, 0},
    {"pid-file", TEXT, AT(pid_file), 0, 0},
    {"cleanup-arg", LIST, AT(cleanup), 0, 0},
    {"stdin", TEXT, AT(stdin_mode), 0, 0},
    {"stdin-once", NUM, AT(stdin_once), 0, 1},
    {"tty", NUM, AT(tty), 0, 1},
    {"rows", NUM, AT(rows), 0, 65535},
    {"cols", NUM, AT(cols), 0, 65535},
    {"console-socket", TEXT, AT(console), 0, 0},
    {"log-path", TEXT, AT(log_path), 0, 0},
    {"log-max-size", NUM, AT(log_max_size), 0, INT64_MAX},
    {"log-max-files", NUM, AT(log_max_files), 1, 100000},
    {"log-compress-arg", LIST, AT(compress), 0, 0},
    {"log-attrs", TEXT, AT(log_attrs), 0, 0},
    {"oom-file", TEXT, AT(oom_file), 0, 0},
    {"oom-score-adj", NUM, AT(oom_score_adj), -1000, 1000},
    {"drain-ms", NUM, AT(drain_ms), 0, 86400000},
    {"linger-ms", NUM, AT(linger_ms), 0, 86400000},
    {"auto-start", NUM, AT(auto_start), 0, 1},
    {"session", NUM, AT(session), 0, INT32_MAX},
};

bool strv_add(struct strv *l, char *s) {
    if (l->n + 2 > l->cap) {
        int cap = l->cap ? l->cap * 2 : 16;
        char **v = realloc(l->v, (size_t)cap * sizeof *v);
        if (!v) return false;
        l->v = v;
        l->cap = cap;
    }
    l->v[l->n++] = s;
    l->v[l->n] = NULL;
    return true;
}

void strv_free(struct strv *l) {
    free(l->v);
    *l = (struct strv){0};
}

void spec_init(struct spec *s) {
    memset(s, 0, sizeof *s);
    s->drain_ms = 2000;
    s->linger_ms = 10000;
    s->log_max_files = 1;
}

int spec_field(struct spec *s, const char *key, char *value, struct fail *f) {
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct key *k = &keys[i];
        if (strcmp(k->name, key) != 0) continue;
        void *at = (char *)s + k->offset;
        if (k->kind == TEXT) {
            *(char **)at = value;
        } else if (k->kind == LIST) {
            if (!strv_add(at, value)) return fail_set(f, "parse", ENOMEM, NULL);
        } else if (!parse_num(value, k->min, k->max, at)) {
            return fail_set(f, "parse", EINVAL, key);
        }
        if (at == &s->oom_score_adj) s->has_oom_score_adj = true;
        return 1;
    }
    return 0;
}

static bool stdin_known(const char *mode) { return !mode || strcmp(mode, "open") == 0 || strcmp(mode, "none") == 0; }

int spec_check(const struct spec *s, struct fail *f) {
    const char *wrong = NULL;
    if (!s->dir || s->dir[0] != '/') wrong = "dir must be an absolute path";
    else if (!s->args.n) wrong = "arg is missing";
    else if (!s->pid_file) wrong = "pid-file is missing";
    else if (!stdin_known(s->stdin_mode)) wrong = "stdin must be open or none";
    else if (s->tty && !s->console) wrong = "tty needs console-socket";
    else if (s->log_path && s->log_path[0] != '/') wrong = "log-path must be an absolute path";
    return wrong ? fail_set(f, "parse", EINVAL, wrong) : 0;
}

void spec_free(struct spec *s) {
    strv_free(&s->steps);
    strv_free(&s->args);
    strv_free(&s->cleanup);
    strv_free(&s->compress);
    free(s->payload);
    memset(s, 0, sizeof *s);
}
