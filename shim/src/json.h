// Owns: Docker's JSON spelling of log text and its timestamps. Refuses: files, clocks.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { JSON_WORST = 6, STAMP_MAX = 32 };

// Escapes n bytes into dst, which holds at least n * JSON_WORST + 16 bytes. Returns the bytes written.
size_t json_escape(char *dst, const char *src, size_t n);
// The length of the longest prefix of src[0..n) that does not end inside a UTF-8 sequence that may still be completed.
size_t utf8_whole(const char *src, size_t n);
// RFC 3339 in UTC with the fraction's trailing zeros trimmed; returns its length, no NUL.
size_t stamp_format(char out[STAMP_MAX], int64_t unix_ns);
