// Owns: the log's files on disk: opening, shifting PATH -> PATH.1 -> …, replacing. Refuses: compressing (the shim runs that).
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frame.h"
#include "log.h"

enum { LOG_MODE = 0640 };

int log_open_file(struct log *l) {
    int fd = open(l->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, LOG_MODE);
    if (fd < 0) return errno;
    struct stat st;
    if (fstat(fd, &st) < 0) {
        int err = errno;
        close(fd);
        return err;
    }
    l->size = st.st_size;
    // A crash of the machine can leave half a record: it must not swallow the next one.
    char last = '\n';
    if (S_ISREG(st.st_mode) && st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n') {
        if (write(fd, "\n", 1) == 1) l->size++;
    }
    if (l->fd >= 0) close(l->fd);
    l->fd = fd;
    return 0;
}

static void name_of(char *out, const char *path, int64_t number, const char *ending) {
    char *p = stpcpy(out, path);
    *p++ = '.';
    p += format_num(p, number);
    stpcpy(p, ending);
}

// PATH.from -> PATH.to, plain and compressed; a missing one is fine.
static void shift(const char *path, char *a, char *b, int64_t from) {
    static const char *const endings[] = {"", ".gz"};
    for (int i = 0; i < 2; i++) {
        name_of(a, path, from, endings[i]);
        name_of(b, path, from + 1, endings[i]);
        rename(a, b);
    }
}

// How many numbered files there are in a row from .1, so that a large limit costs nothing.
static int64_t last_number(const char *path, char *a, int64_t limit) {
    int64_t n = 0;
    while (n < limit) {
        name_of(a, path, n + 1, "");
        if (access(a, F_OK) == 0) {
            n++;
            continue;
        }
        name_of(a, path, n + 1, ".gz");
        if (access(a, F_OK) < 0) break;
        n++;
    }
    return n;
}

static bool move_aside(const struct log *l) {
    if (l->max_files < 2) return unlink(l->path) == 0 || errno == ENOENT;
    size_t room = strlen(l->path) + 32;
    char *a = malloc(2 * room);
    if (!a) return false;
    char *b = a + room;
    int64_t last = last_number(l->path, a, l->max_files - 1);
    if (last == l->max_files - 1) {
        name_of(a, l->path, last, "");
        unlink(a);
        name_of(a, l->path, last, ".gz");
        unlink(a);
        last--;
    }
    for (int64_t i = last; i >= 1; i--) shift(l->path, a, b, i);
    name_of(a, l->path, 1, "");
    bool ok = rename(l->path, a) == 0 || errno == ENOENT;
    free(a);
    return ok;
}

void log_rotate(struct log *l) {
    // Somebody may have emptied the file behind our back: then there is nothing to rotate yet.
    struct stat st;
    if (fstat(l->fd, &st) == 0 && st.st_size < l->size) {
        l->size = st.st_size;
        if (l->size < l->max_size) return;
    }
    int err = move_aside(l) ? log_open_file(l) : errno;
    if (err) {
        if (!l->failing && l->complain) l->complain(l->owner, "log-rotate", err);
        l->failing = true;
        l->rotate_at = l->size + l->max_size;  // not again for every record
        return;
    }
    l->rotate_at = l->max_size;
    // From here on the next rotation waits, even one within this batch: the compressor works on PATH.1.
    if (l->compresses && l->max_files > 1) l->rotated = l->compressing = true;
}
