// Owns: unit tests of records against dockerd's, of cutting long lines, of failing writes. Refuses: rotation (test_rotate.c).
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../src/log.h"
#include "test.h"

static const int64_t AT = 1136214245999999999;

static void start(struct log *l, char *dir, char *path, const char *attrs) {
    strcpy(dir, "/tmp/shim-log-XXXXXX");
    if (!mkdtemp(dir)) abort();
    sprintf(path, "%s/log", dir);
    *l = (struct log){.fd = -1};
    if (log_open(l, path, attrs, 0, 1)) abort();
}

static char *finish(struct log *l, const char *dir, const char *path, size_t *len) {
    log_close(l);
    char *text = slurp(path, len);
    unlink(path);
    rmdir(dir);
    return text;
}

// What dockerd wrote for the same bytes, whatever the sizes of the reads.
static void golden(struct tally *t) {
    size_t in_len, want_len, len;
    char *in = slurp("test/golden/escapes.in", &in_len), *want = slurp("test/golden/escapes.jsonl", &want_len);
    CHECK(t, in && want);
    for (size_t step = 1; in && want && step < 70; step += step < 5 ? 1 : 32) {
        struct log l;
        char dir[40], path[64];
        start(&l, dir, path, NULL);
        for (size_t at = 0; at < in_len; at += step) log_feed(&l, 0, in + at, in_len - at < step ? in_len - at : step, AT);
        log_end(&l, 0, AT);
        char *got = finish(&l, dir, path, &len), *g = got, *w = want;
        while (*w) {
            char *w_time = strstr(w, "\"time\":"), *g_time = strstr(g, "\"time\":");
            CHECK(t, w_time && g_time && w_time - w == g_time - g && !memcmp(w, g, (size_t)(w_time - w)));
            if (!w_time || !g_time) break;
            w = strchr(w_time, '\n') + 1;
            g = strchr(g_time, '\n') + 1;
        }
        CHECK(t, g == got + len);
        free(got);
    }
    free(in);
    free(want);
}

// Records of a long line, as "length of text" of each.
static void parts(struct tally *t, size_t n, const char *tail, const size_t *want, int count) {
    struct log l;
    char dir[40], path[64];
    start(&l, dir, path, NULL);
    char *line = malloc(n + 16);
    memset(line, 'A', n);
    size_t tail_len = strlen(tail), len;
    memcpy(line + n, tail, tail_len);
    // A read boundary in the middle, and a later time: all parts keep the first one's.
    size_t half = n > 20000 ? 20000 : n / 2;
    log_feed(&l, 0, line, half, AT);
    log_feed(&l, 0, line + half, n + tail_len - half, AT + (n > 16384 + 20000 ? 0 : 5000000000));
    log_end(&l, 0, AT);
    char *got = finish(&l, dir, path, &len), *at = got;
    for (int i = 0; i < count; i++) {
        char *end = strstr(at, "\",\"stream\"");
        CHECK(t, end && (size_t)(end - at) == want[i] + 8);
        at = strchr(at, '\n') + 1;
    }
    CHECK(t, at == got + len);
    free(got);
    free(line);
}

#define PARTS(n, tail, ...) parts(t, n, tail, (const size_t[]){__VA_ARGS__}, sizeof((size_t[]){__VA_ARGS__}) / sizeof(size_t))

// dockerd's answers: a newline counts two (it is escaped). The UTF-8 ones are where we differ on purpose.
static void long_lines(struct tally *t) {
    PARTS(16383, "\n", 16385);
    PARTS(16384, "\n", 16384, 2);
    PARTS(16385, "\n", 16384, 3);
    PARTS(32768, "\n", 16384, 16384, 2);
    PARTS(32769, "\n", 16384, 16384, 3);
    PARTS(16384, "", 16384);
    PARTS(16385, "", 16384, 1);
    PARTS(16383, "\xf0\x9f\x92\xa9tail\n", 16383, 10);
    PARTS(16381, "\xf0\x9f\x92\xa9tail\n", 16381, 10);
    PARTS(16380, "\xf0\x9f\x92\xa9tail\n", 16384, 6);
    PARTS(16383, "\xff\xfftail\n", 16383 + 6, 6 + 6);
}

static void streams(struct tally *t) {
    struct log l;
    char dir[40], path[64];
    size_t len;
    start(&l, dir, path, "{\"a\":\"b\"}");
    log_feed(&l, 0, "abc", 3, AT);
    log_feed(&l, 1, "ERR", 3, AT);
    log_feed(&l, 0, "def\n", 4, AT + 1);
    log_feed(&l, 1, "E2\nx", 4, AT + 1);
    log_flush(&l);
    log_trim(&l);
    log_end(&l, 1, AT + 100000001);
    log_end(&l, 0, AT + 100000001);
    char *got = finish(&l, dir, path, &len);
    CHECK(t, !strcmp(got,
        "{\"log\":\"abcdef\\n\",\"stream\":\"stdout\",\"attrs\":{\"a\":\"b\"},\"time\":\"2006-01-02T15:04:06Z\"}\n"
        "{\"log\":\"ERRE2\\n\",\"stream\":\"stderr\",\"attrs\":{\"a\":\"b\"},\"time\":\"2006-01-02T15:04:06Z\"}\n"
        "{\"log\":\"x\",\"stream\":\"stderr\",\"attrs\":{\"a\":\"b\"},\"time\":\"2006-01-02T15:04:06.1Z\"}\n"));
    free(got);
}

static void note(void *owner, const char *what, int err) {
    (void)what;
    *(int *)owner = *(int *)owner * 1000 + err;
}

// A file size limit stands in for a full disk: whole records only, one complaint, and writing resumes.
static void full_disk(struct tally *t) {
    struct log l;
    char dir[40], path[64], line[1001];
    size_t len;
    start(&l, dir, path, NULL);
    char limit_dir[64];
    sprintf(limit_dir, "%s/small", dir);
    mkdir(limit_dir, 0700);
    if (mount("tmpfs", limit_dir, "tmpfs", 0, "size=16k") < 0) {
        printf("no mounts here: the full disk is not tested\n");
        rmdir(limit_dir);
        free(finish(&l, dir, path, &len));
        return;
    }
    log_close(&l);
    unlink(path);
    sprintf(path, "%s/small/log", dir);
    int complaints = 0;
    l = (struct log){.fd = -1, .complain = note, .owner = &complaints};
    CHECK(t, !log_open(&l, path, NULL, 0, 1));
    memset(line, 'x', sizeof line);
    line[1000] = '\n';
    for (int i = 0; i < 60; i++) {
        log_feed(&l, 0, line, sizeof line, AT);
        log_flush(&l);
    }
    CHECK(t, complaints == ENOSPC);
    char *got = slurp(path, &len);
    CHECK(t, len > 10000 && got[len - 1] == '\n' && (size_t)l.size == len);
    free(got);
    CHECK(t, !truncate(path, 0));
    l.size = 0;
    log_feed(&l, 0, line, sizeof line, AT);
    log_flush(&l);
    CHECK(t, !l.failing);
    log_close(&l);
    umount(limit_dir);
    rmdir(limit_dir);
    rmdir(dir);
}

void test_log(struct tally *t) {
    golden(t);
    long_lines(t);
    streams(t);
    full_disk(t);
}
