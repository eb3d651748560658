// Owns: unit tests of rotation and of opening what a crash left. Refuses: compressing.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../src/log.h"
#include "test.h"

struct place {
    char dir[40], path[64];
};

static void make(struct place *p) {
    strcpy(p->dir, "/tmp/shim-rot-XXXXXX");
    if (!mkdtemp(p->dir)) abort();
    sprintf(p->path, "%s/log", p->dir);
}

static void sweep(struct place *p) {
    char name[96];
    unlink(p->path);
    for (int i = 1; i < 10; i++) {
        sprintf(name, "%s.%d", p->path, i);
        unlink(name);
        strcat(name, ".gz");
        unlink(name);
    }
    rmdir(p->dir);
}

// The first text in PATH<ending>, "" when the file is not there.
static const char *first(struct place *p, const char *ending, char out[8]) {
    char name[96];
    size_t len;
    sprintf(name, "%s%s", p->path, ending);
    char *text = slurp(name, &len);
    memset(out, 0, 8);
    if (text && len > 12) memcpy(out, text + 8, 4);
    free(text);
    return out;
}

// dockerd with max-size=1k wrote 9 lines of 113 bytes a file: rotation comes once the size is reached.
static void shifting(struct tally *t) {
    struct place p;
    char line[64], out[8];
    make(&p);
    struct log l = {.fd = -1};
    CHECK(t, !log_open(&l, p.path, NULL, 1000, 3));
    for (int i = 100; i < 160; i++) {
        sprintf(line, "line%03d-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n", i);
        line[0] = (char)('0' + i / 100);
        line[1] = (char)('0' + i / 10 % 10);
        line[2] = (char)('0' + i % 10);
        line[3] = ' ';
        log_feed(&l, 0, line, strlen(line), 1136214245999999990);
    }
    log_close(&l);
    CHECK(t, !strcmp(first(&p, "", out), "154 "));
    CHECK(t, !strcmp(first(&p, ".1", out), "145 "));
    CHECK(t, !strcmp(first(&p, ".2", out), "136 "));
    CHECK(t, !strcmp(first(&p, ".3", out), ""));
    sweep(&p);
}

static void single(struct tally *t) {
    struct place p;
    char out[8];
    make(&p);
    struct log l = {.fd = -1};
    CHECK(t, !log_open(&l, p.path, NULL, 50, 1));
    struct stat before, after;
    CHECK(t, !stat(p.path, &before) && (before.st_mode & 0777) == 0640);
    log_feed(&l, 0, "aaaa\nbbbb\n", 10, 0);
    log_close(&l);
    CHECK(t, !stat(p.path, &after) && before.st_ino != after.st_ino);
    CHECK(t, !strcmp(first(&p, "", out), "bbbb") && !strcmp(first(&p, ".1", out), ""));
    sweep(&p);
}

static void touch(struct place *p, const char *ending) {
    char name[96];
    sprintf(name, "%s%s", p->path, ending);
    FILE *f = fopen(name, "w");
    fprintf(f, "12345678%s", ending);
    fclose(f);
}

static bool there(struct place *p, const char *ending) {
    char name[96];
    sprintf(name, "%s%s", p->path, ending);
    return access(name, F_OK) == 0;
}

static void compressed(struct tally *t) {
    struct place p;
    make(&p);
    touch(&p, ".1.gz");
    touch(&p, ".2.gz");
    struct log l = {.fd = -1, .compresses = true};
    CHECK(t, !log_open(&l, p.path, NULL, 50, 4));
    log_feed(&l, 0, "aaaa\nbbbb\n", 10, 0);
    log_flush(&l);
    CHECK(t, l.rotated && there(&p, ".1") && !there(&p, ".1.gz") && there(&p, ".2.gz") && there(&p, ".3.gz"));
    // While a compressor runs the next rotation waits, and says so.
    CHECK(t, l.compressing);
    log_feed(&l, 0, "cccc\n", 5, 0);
    log_flush(&l);
    CHECK(t, l.stalled && !there(&p, ".4.gz"));
    l.compressing = l.stalled = false;
    log_feed(&l, 0, "dddd\n", 5, 0);
    log_close(&l);
    // The compressor never came by: its file is shifted as it is.
    CHECK(t, there(&p, ".1") && there(&p, ".2") && there(&p, ".3.gz") && !there(&p, ".4.gz"));
    sweep(&p);
}

static void left_by_crash(struct tally *t) {
    struct place p;
    size_t len;
    make(&p);
    FILE *f = fopen(p.path, "w");
    fputs("{\"log\":\"half", f);
    fclose(f);
    struct log l = {.fd = -1};
    CHECK(t, !log_open(&l, p.path, NULL, 0, 1));
    log_feed(&l, 0, "a\n", 2, 0);
    log_close(&l);
    char *text = slurp(p.path, &len);
    CHECK(t, !strncmp(text, "{\"log\":\"half\n{\"log\":\"a\\n\"", 23));
    free(text);
    sweep(&p);
    l = (struct log){.fd = -1};
    CHECK(t, log_open(&l, "/no/such/folder/log", NULL, 0, 1) == 2);
    log_close(&l);
}

// Somebody emptied the file: the next rotation is due by its real size.
static void emptied(struct tally *t) {
    struct place p;
    make(&p);
    struct log l = {.fd = -1};
    CHECK(t, !log_open(&l, p.path, NULL, 100, 3));
    log_feed(&l, 0, "aaaa\nbbbb\n", 10, 0);
    log_flush(&l);
    CHECK(t, !truncate(p.path, 0));
    log_feed(&l, 0, "cccc\n", 5, 0);
    log_close(&l);
    CHECK(t, !there(&p, ".1") && there(&p, ""));
    sweep(&p);
}

void test_rotate(struct tally *t) {
    shifting(t);
    single(t);
    compressed(t);
    left_by_crash(t);
    emptied(t);
}
