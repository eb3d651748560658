// Owns: the shape of a failure (stage, errno, text). Refuses: deciding what to do about one.
#pragma once
#include <stddef.h>

enum { FAIL_STAGE_MAX = 40, FAIL_TEXT_MAX = 16 * 1024, FAIL_LINE_MAX = 512 };

struct fail {
    char stage[FAIL_STAGE_MAX];
    int err;
    char *text;  // heap, may be NULL: then the text of err is meant
};

// Both return -1, so that callers can `return fail_set(...)`.
// The text becomes "text: description of err" (or either alone), cut at FAIL_LINE_MAX.
int fail_set(struct fail *f, const char *stage, int err, const char *text);
// The tail of the bytes, at most FAIL_TEXT_MAX, as they are but for NUL bytes, which become spaces.
int fail_set_bytes(struct fail *f, const char *stage, int err, const char *text, size_t len);
// Never NULL.
const char *fail_text(const struct fail *f);
void fail_clear(struct fail *f);
