// Owns: filling and reading a struct fail. Refuses: stdio, locales, any output of its own.
#define _GNU_SOURCE
#include "fail.h"

#include <stdlib.h>
#include <string.h>

int fail_set_bytes(struct fail *f, const char *stage, int err, const char *text, size_t len) {
    free(f->text);
    f->text = NULL;
    f->err = err;
    size_t n = strnlen(stage, FAIL_STAGE_MAX - 1);
    memcpy(f->stage, stage, n);
    f->stage[n] = 0;
    if (!text || !len) return -1;
    if (len > FAIL_TEXT_MAX) {
        text += len - FAIL_TEXT_MAX;
        len = FAIL_TEXT_MAX;
    }
    f->text = malloc(len + 1);
    if (!f->text) return -1;
    for (size_t i = 0; i < len; i++) f->text[i] = text[i] ? text[i] : ' ';
    f->text[len] = 0;
    return -1;
}

int fail_set(struct fail *f, const char *stage, int err, const char *text) {
    const char *known = err && text ? strerrordesc_np(err) : NULL;
    if (!known) return fail_set_bytes(f, stage, err, text, text ? strlen(text) : 0);
    char whole[FAIL_LINE_MAX];
    size_t n = strnlen(text, sizeof whole - 2 - strlen(known));
    memcpy(whole, text, n);
    memcpy(whole + n, ": ", 2);
    memcpy(whole + n + 2, known, strlen(known));
    return fail_set_bytes(f, stage, err, whole, n + 2 + strlen(known));
}

const char *fail_text(const struct fail *f) {
    if (f->text) return f->text;
    const char *known = f->err ? strerrordesc_np(f->err) : "";
    return known ? known : "unknown error";
}

void fail_clear(struct fail *f) {
    free(f->text);
    memset(f, 0, sizeof *f);
}
