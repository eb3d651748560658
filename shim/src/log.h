// Owns: the JSON log of one process: lines, records, the file and its rotation. Refuses: failing its process; events.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json.h"

enum { LOG_PART_MAX = 16 * 1024, LOG_FLUSH_AT = 64 * 1024 };

struct log_line {
    char *text;  // LOG_PART_MAX bytes once needed
    size_t len;
    bool cut;  // a part of this line is already out
    char stamp[STAMP_MAX];  // of the first part
    size_t stamp_len;
};

struct log {
    const char *path, *attrs;
    int64_t max_size, max_files;
    int fd;  // -1: no log
    int64_t rotate_at;  // size at which the next rotation is due, 0 = never
    int64_t size;  // of the file, without what is pending
    char *pending;
    size_t pending_len, pending_cap;
    struct log_line line[2];  // stdout, stderr
    char *tail[2];  // the text between a record's text and its stamp
    size_t tail_len[2];
    char stamp[STAMP_MAX];
    size_t stamp_len;
    bool compresses;  // rotation starts a compressor
    bool compressing;  // one runs or is about to: no rotation until it is done
    bool stalled;  // a rotation is due but has to wait for it
    bool rotated;  // a rotation happened that wants a compressor
    bool failing;  // writing fails; said once
    void (*complain)(void *owner, const char *what, int err);
    void *owner;
};

// Opens (appending) or creates the file. 0 or an errno. path, attrs and the callback outlive the log.
int log_open(struct log *l, const char *path, const char *attrs, int64_t max_size, int64_t max_files);
// Bytes of stream 0 (stdout) or 1 (stderr), read at unix_ns. Call log_flush after each batch.
void log_feed(struct log *l, int stream, const char *data, size_t n, int64_t unix_ns);
// The stream ended: its unfinished line is written as it is.
void log_end(struct log *l, int stream, int64_t unix_ns);
void log_flush(struct log *l);
// Gives back buffers that hold nothing.
void log_trim(struct log *l);
void log_close(struct log *l);

// rotate.c: moves PATH to PATH.1 and so on, and opens a new PATH; leaves l->fd open on it, or on the old file on failure.
void log_rotate(struct log *l);
// rotate.c: opens path for appending and sets fd and size. 0 or an errno.
int log_open_file(struct log *l);
