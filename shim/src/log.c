// Owns: cutting output into lines and records, and writing them. Refuses: half records on disk, text in memory while idle.
#define _GNU_SOURCE
#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char head[] = "{\"log\":\"";

static int make_tail(struct log *l, int stream) {
    const char *name = stream ? "stderr" : "stdout";
    size_t attrs = l->attrs ? strlen(l->attrs) + 10 : 0;
    char *t = malloc(64 + attrs);
    if (!t) return ENOMEM;
    char *p = stpcpy(t, "\",\"stream\":\"");
    p = stpcpy(p, name);
    p = stpcpy(p, "\",");
    if (l->attrs) {
        p = stpcpy(p, "\"attrs\":");
        p = stpcpy(p, l->attrs);
        p = stpcpy(p, ",");
    }
    p = stpcpy(p, "\"time\":\"");
    l->tail[stream] = t;
    l->tail_len[stream] = (size_t)(p - t);
    return 0;
}

int log_open(struct log *l, const char *path, const char *attrs, int64_t max_size, int64_t max_files) {
    l->path = path;
    l->attrs = attrs && *attrs ? attrs : NULL;
    l->max_size = l->rotate_at = max_size;
    l->max_files = max_files;
    int err = make_tail(l, 0);
    if (!err) err = make_tail(l, 1);
    if (!err) err = log_open_file(l);
    return err;
}

// A write failed after `written` bytes of pending: the file keeps whole records only.
static void write_failed(struct log *l, size_t written, int err) {
    const char *nl = written ? memrchr(l->pending, '\n', written) : NULL;
    l->size += nl ? nl + 1 - l->pending : 0;
    if (written && ftruncate(l->fd, l->size) < 0) err = errno;
    if (!l->failing && l->complain) l->complain(l->owner, "log", err);
    l->failing = true;
}

void log_flush(struct log *l) {
    size_t at = 0;
    while (at < l->pending_len) {
        ssize_t n = write(l->fd, l->pending + at, l->pending_len - at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            write_failed(l, at, n < 0 ? errno : EIO);
            l->pending_len = 0;
            return;
        }
        at += (size_t)n;
    }
    if (!at) return;
    l->size += (int64_t)at;
    l->pending_len = 0;
    l->failing = false;
}

static bool make_room(struct log *l, size_t need) {
    if (l->pending_len >= LOG_FLUSH_AT || l->pending_cap - l->pending_len < need) log_flush(l);
    if (l->pending_cap - l->pending_len >= need) return true;
    size_t cap = need + LOG_FLUSH_AT;
    char *p = realloc(l->pending, cap);
    if (!p) return false;
    l->pending = p;
    l->pending_cap = cap;
    return true;
}

static void record(struct log *l, int stream, const char *text, size_t n, const char *stamp, size_t stamp_len) {
    if (l->rotate_at && l->size + (int64_t)l->pending_len >= l->rotate_at) {
        log_flush(l);
        if (!l->compressing) log_rotate(l);
        else l->stalled = true;
    }
    if (!make_room(l, n * JSON_WORST + l->tail_len[stream] + STAMP_MAX + 32)) return;
    char *p = l->pending + l->pending_len;
    p = mempcpy(p, head, sizeof head - 1);
    p += json_escape(p, text, n);
    p = mempcpy(p, l->tail[stream], l->tail_len[stream]);
    p = mempcpy(p, stamp, stamp_len);
    p = mempcpy(p, "\"}\n", 3);
    l->pending_len = (size_t)(p - l->pending);
}

// Writes text as a record of the line: all parts of a cut line carry the first part's stamp.
static void emit(struct log *l, int stream, const char *text, size_t n, bool whole) {
    struct log_line *line = &l->line[stream];
    if (!whole && !line->cut) {
        memcpy(line->stamp, l->stamp, l->stamp_len);
        line->stamp_len = l->stamp_len;
        line->cut = true;
    }
    if (line->cut) record(l, stream, text, n, line->stamp, line->stamp_len);
    else record(l, stream, text, n, l->stamp, l->stamp_len);
    if (whole) line->cut = false;
}

static bool keep(struct log_line *line, const char *data, size_t n) {
    if (!n) return true;
    if (!line->text) line->text = malloc(LOG_PART_MAX);
    if (!line->text) return false;
    memcpy(line->text + line->len, data, n);
    line->len += n;
    return true;
}

// Takes the next `n` bytes to the end of a part (whole: they end with a newline).
static size_t finish_part(struct log *l, int stream, const char *data, size_t n, bool whole) {
    struct log_line *line = &l->line[stream];
    if (!line->len) {
        size_t cut = whole ? n : utf8_whole(data, n);
        emit(l, stream, data, cut, whole);
        return cut;
    }
    if (!keep(line, data, n)) return n;
    size_t cut = whole ? line->len : utf8_whole(line->text, line->len);
    emit(l, stream, line->text, cut, whole);
    memmove(line->text, line->text + cut, line->len - cut);
    line->len -= cut;
    return n;
}

void log_feed(struct log *l, int stream, const char *data, size_t n, int64_t unix_ns) {
    if (l->fd < 0) return;
    struct log_line *line = &l->line[stream];
    l->stamp_len = stamp_format(l->stamp, unix_ns);
    while (n) {
        size_t room = LOG_PART_MAX - line->len;
        size_t window = n < room ? n : room;
        const char *nl = memchr(data, '\n', window);
        size_t used;
        if (nl) {
            used = finish_part(l, stream, data, (size_t)(nl - data) + 1, true);
        } else if (window == room) {
            used = finish_part(l, stream, data, window, false);
        } else {
            keep(line, data, n);
            used = n;
        }
        data += used;
        n -= used;
    }
}

void log_end(struct log *l, int stream, int64_t unix_ns) {
    struct log_line *line = &l->line[stream];
    if (l->fd < 0 || !line->len) return;
    l->stamp_len = stamp_format(l->stamp, unix_ns);
    emit(l, stream, line->text, line->len, true);
    line->len = 0;
    log_flush(l);
}

void log_trim(struct log *l) {
    if (!l->pending_len) {
        free(l->pending);
        l->pending = NULL;
        l->pending_cap = 0;
    }
    for (int i = 0; i < 2; i++) {
        if (l->line[i].len) continue;
        free(l->line[i].text);
        l->line[i].text = NULL;
    }
}

void log_close(struct log *l) {
    if (l->fd >= 0) {
        log_flush(l);
        close(l->fd);
    }
    l->fd = -1;
    for (int i = 0; i < 2; i++) {
        free(l->line[i].text);
        free(l->tail[i]);
        l->line[i].text = l->tail[i] = NULL;
        l->line[i].len = 0;
    }
    free(l->pending);
    l->pending = NULL;
    l->pending_len = l->pending_cap = 0;
}
