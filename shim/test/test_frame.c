// Owns: unit tests of frames, fields and numbers. Refuses: specifications.
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../src/fail.h"
#include "../src/frame.h"
#include "test.h"

static void numbers(struct tally *t) {
    int64_t v = 0;
    char text[24];
    CHECK(t, parse_num("0", 0, 9, &v) && v == 0);
    CHECK(t, parse_num("-1000", -1000, 1000, &v) && v == -1000);
    CHECK(t, parse_num("9223372036854775807", 0, INT64_MAX, &v) && v == INT64_MAX);
    CHECK(t, !parse_num("9223372036854775808", 0, INT64_MAX, &v));
    CHECK(t, !parse_num("", 0, 9, &v) && !parse_num("-", -9, 9, &v) && !parse_num(" 1", 0, 9, &v) && !parse_num("1x", 0, 9, &v) && !parse_num("+1", 0, 9, &v));
    CHECK(t, !parse_num("10", 0, 9, &v) && !parse_num("-1", 0, 9, &v));
    CHECK(t, format_num(text, 0) == 1 && strcmp(text, "0") == 0);
    CHECK(t, format_num(text, INT64_MIN) == 20 && strcmp(text, "-9223372036854775808") == 0);
    CHECK(t, format_num(text, INT64_MAX) == 19 && strcmp(text, "9223372036854775807") == 0);
}

static void fields(struct tally *t) {
    struct fields f;
    const char *key;
    char *value;
    char good[] = "a=1\0b=\0a==x";
    CHECK(t, fields_open(&f, good, sizeof good));
    CHECK(t, fields_next(&f, &key, &value) && !strcmp(key, "a") && !strcmp(value, "1"));
    CHECK(t, fields_next(&f, &key, &value) && !strcmp(key, "b") && !strcmp(value, ""));
    CHECK(t, fields_next(&f, &key, &value) && !strcmp(key, "a") && !strcmp(value, "=x"));
    CHECK(t, !fields_next(&f, &key, &value));
    char open_end[] = "a=1", no_value[] = "a", no_key[] = "=1", gap[] = "a=1\0\0b=2", none[] = "";
    CHECK(t, !fields_open(&f, open_end, 3));
    CHECK(t, !fields_open(&f, no_value, sizeof no_value));
    CHECK(t, !fields_open(&f, no_key, sizeof no_key));
    CHECK(t, !fields_open(&f, gap, sizeof gap));
    CHECK(t, fields_open(&f, none, 0) && !fields_next(&f, &key, &value));
}

static void wire(struct tally *t) {
    int s[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s) < 0) abort();
    struct buf b = {0};
    msg_begin(&b);
    msg_str(&b, "op", "x");
    msg_bytes(&b, "out", "a\0b", 3);
    msg_num(&b, "n", -5);
    msg_end(&b);
    static const char want[] = "op=x\0out=a b\0n=-5";
    CHECK(t, b.len == 4 + sizeof want && b.data[3] == sizeof want && !memcmp(b.data + 4, want, sizeof want));
    struct frame_reader r = {0};
    CHECK(t, frame_read(&r, s[0]) == FRAME_MORE);
    // Byte by byte, with the first of the next frame behind: never a byte too many is taken.
    for (size_t i = 0; i < b.len; i++) {
        CHECK(t, write(s[1], b.data + i, 1) == 1);
        CHECK(t, frame_read(&r, s[0]) == (i + 1 == b.len ? FRAME_DONE : FRAME_MORE));
    }
    CHECK(t, r.size == sizeof want && !memcmp(r.payload, want, sizeof want));
    frame_drop(&r);
    CHECK(t, write(s[1], "\0\0\0\0\0\x10\0\x01", 8) == 8);
    CHECK(t, frame_read(&r, s[0]) == FRAME_DONE && r.size == 0);
    frame_drop(&r);
    CHECK(t, frame_read(&r, s[0]) == FRAME_BAD);
    frame_drop(&r);
    close(s[1]);
    CHECK(t, frame_read(&r, s[0]) == FRAME_END);
    frame_drop(&r);
    close(s[0]);
    buf_free(&b);
}

static void failures(struct tally *t) {
    struct fail f = {0};
    CHECK(t, fail_set(&f, "step:mount", 2, "/x") == -1);
    CHECK(t, !strcmp(fail_text(&f), "/x: No such file or directory"));
    fail_set(&f, "pipe", 24, NULL);
    CHECK(t, !strcmp(fail_text(&f), "Too many open files"));
    char big[FAIL_TEXT_MAX + 5];
    memset(big, 'a', sizeof big);
    memcpy(big + sizeof big - 3, "e\0d", 3);
    fail_set_bytes(&f, "a-stage-with-a-name-that-is-much-too-long-to-keep", 0, big, sizeof big);
    CHECK(t, strlen(f.stage) == FAIL_STAGE_MAX - 1);
    CHECK(t, strlen(f.text) == FAIL_TEXT_MAX && !strcmp(f.text + FAIL_TEXT_MAX - 3, "e d"));
    char long_path[2000];
    memset(long_path, 'p', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = 0;
    fail_set(&f, "x", 2, long_path);
    CHECK(t, strlen(f.text) == FAIL_LINE_MAX);
    fail_clear(&f);
}

void test_frame(struct tally *t) {
    numbers(t);
    fields(t);
    wire(t);
    failures(t);
}
