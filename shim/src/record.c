// Owns: the small files in the run directory: shim.pid, exit, shim.log, and reading those of runtime and kernel. Refuses: the log.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim.h"

enum { SMALL_FILE = 4096, COMPLAINTS_MAX = 64 * 1024 };

static int write_all(int fd, const char *data, size_t n) {
    while (n) {
        ssize_t w = write(fd, data, n);
        if (w < 0 && errno == EINTR) continue;
        if (w <= 0) return w < 0 ? errno : EIO;
        data += w;
        n -= (size_t)w;
    }
    return 0;
}

// Readers see the old file or the new one, never a half.
static void replace(struct shim *s, const char *name, const char *tmp, const char *data, size_t n) {
    // Not emptied first: the room record_reserve took is written over.
    int fd = openat(s->dirfd, tmp, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int err = fd < 0 ? errno : write_all(fd, data, n);
    if (!err && ftruncate(fd, (off_t)n) < 0) err = errno;
    if (fd >= 0 && close(fd) < 0 && !err) err = errno;
    if (!err && renameat(s->dirfd, tmp, s->dirfd, name) < 0) err = errno;
    if (err) shim_complain(s, name, err);
}

static void line_num(struct buf *b, const char *key, int64_t value) {
    char text[24];
    buf_add(b, key, strlen(key));
    buf_add(b, text, format_num(text, value));
    buf_add(b, "\n", 1);
}

static void line_str(struct buf *b, const char *key, const char *value) {
    buf_add(b, key, strlen(key));
    buf_add(b, value, strlen(value));
    buf_add(b, "\n", 1);
}

void record_pid(struct shim *s) {
    struct buf b = {0};
    line_num(&b, "", getpid());
    replace(s, "shim.pid", "shim.pid.tmp", b.data, b.len);
    buf_free(&b);
}

void record_reserve(struct shim *s) {
    static const char room[128] = {'\n'};
    int fd = openat(s->dirfd, "exit.tmp", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || write_all(fd, room, sizeof room)) shim_complain(s, "exit", errno);
    if (fd >= 0) close(fd);
}

void record_exit(struct shim *s) {
    struct buf b = {0};
    line_num(&b, "code=", s->code);
    line_num(&b, "at=", s->exited_at);
    line_num(&b, "oom=", s->oom_kills > 0);
    replace(s, "exit", "exit.tmp", b.data, b.len);
    buf_free(&b);
}

void record_failure(struct shim *s) {
    struct buf b = {0};
    line_str(&b, "stage=", s->fail.stage);
    line_num(&b, "errno=", s->fail.err);
    line_str(&b, "text=", fail_text(&s->fail));
    replace(s, "exit", "exit.tmp", b.data, b.len);
    buf_free(&b);
}

void shim_complain(void *owner, const char *what, int err) {
    struct shim *s = owner;
    int fd = openat(s->dirfd, "shim.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) return;
    struct stat st;
    struct buf b = {0};
    char stamp[STAMP_MAX];
    buf_add(&b, stamp, stamp_format(stamp, now_unix_ns()));
    buf_add(&b, " ", 1);
    buf_add(&b, what, strlen(what));
    buf_add(&b, ": ", 2);
    line_str(&b, "", strerrordesc_np(err) ? strerrordesc_np(err) : "unknown error");
    if (fstat(fd, &st) == 0 && st.st_size < COMPLAINTS_MAX && !b.bad) write_all(fd, b.data, b.len);
    close(fd);
    buf_free(&b);
}

// Reads up to n bytes at offset; -1 with errno.
static ssize_t read_all(int fd, char *out, size_t n, off_t at) {
    size_t got = 0;
    while (got < n) {
        ssize_t r = pread(fd, out + got, n - got, at + (off_t)got);
        if (r < 0 && errno == EINTR) continue;
        if (r < 0) return -1;
        if (r == 0) break;
        got += (size_t)r;
    }
    return (ssize_t)got;
}

int record_read_pid(struct shim *s, pid_t *pid) {
    int fd = openat(s->dirfd, s->spec->pid_file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    char text[32];
    ssize_t n = read_all(fd, text, sizeof text - 1, 0);
    int err = n < 0 ? errno : 0;
    close(fd);
    if (err) return err;
    while (n && (text[n - 1] == '\n' || text[n - 1] == ' ')) n--;
    text[n] = 0;
    int64_t v;
    if (!parse_num(text, 1, INT32_MAX, &v)) return EINVAL;
    *pid = (pid_t)v;
    return 0;
}

// The parent of pid, 0 when unknown.
static pid_t parent_of(pid_t pid) {
    char path[48] = "/proc/", text[512];
    strcpy(path + 6 + format_num(path + 6, pid), "/stat");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t n = read_all(fd, text, sizeof text - 1, 0);
    close(fd);
    if (n <= 0) return 0;
    text[n] = 0;
    char *p = strrchr(text, ')');  // the name before it may hold anything
    return p && strlen(p) > 4 ? (pid_t)strtol(p + 4, NULL, 10) : 0;
}

bool record_descends(pid_t pid) {
    for (int depth = 0; pid > 1 && depth < 64; depth++) {
        pid = parent_of(pid);
        if (pid == getpid()) return true;
    }
    return false;
}

char *record_tail(struct shim *s, const char *path, size_t *len) {
    *len = 0;
    int fd = openat(s->dirfd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return NULL;
    struct stat st;
    char *text = fstat(fd, &st) == 0 ? malloc(FAIL_TEXT_MAX) : NULL;
    if (text) {
        off_t at = st.st_size > FAIL_TEXT_MAX ? st.st_size - FAIL_TEXT_MAX : 0;
        ssize_t n = read_all(fd, text, FAIL_TEXT_MAX, at);
        *len = n > 0 ? (size_t)n : 0;
    }
    close(fd);
    return text;
}

int64_t parse_oom(const char *text) {
    static const char key[] = "oom_kill ";
    for (const char *p = text; p; p = strchr(p, '\n')) {
        if (*p == '\n') p++;
        if (strncmp(p, key, sizeof key - 1) != 0) continue;
        long long n = strtoll(p + sizeof key - 1, NULL, 10);
        return n > 0 ? n : 0;
    }
    return 0;
}

int64_t record_oom(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    char text[SMALL_FILE];
    ssize_t n = read_all(fd, text, sizeof text - 1, 0);
    close(fd);
    if (n < 0) return 0;
    text[n] = 0;
    return parse_oom(text);
}
