// Owns: the process's stdin, stdout and stderr on the shim's side. Refuses: reading before the runtime succeeded; unbounded stdin.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "shim.h"

static int make_pipe(struct shim *s, int *ours, int *theirs, bool ours_reads) {
    int p[2];
    if (pipe2(p, O_CLOEXEC) < 0) return fail_set(&s->fail, "pipe", errno, NULL);
    *ours = p[ours_reads ? 0 : 1];
    *theirs = p[ours_reads ? 1 : 0];
    fcntl(*ours, F_SETFL, O_NONBLOCK);
    return 0;
}

static void on_output(struct watch *w, uint32_t events);
static void on_input(struct watch *w, uint32_t events);

void stream_init(struct shim *s) {
    s->master = -1;
    for (int i = 0; i < 3; i++) s->child_fd[i] = -1;
    s->in.w = (struct watch){.fd = -1, .fn = on_input, .owner = s};
    for (int i = 0; i < 2; i++) {
        s->out[i] = (struct stream){.w = {.fd = -1, .fn = on_output, .owner = &s->out[i]}, .s = s, .index = i};
    }
}

int stream_prepare(struct shim *s) {
    bool tty = s->spec->tty;
    bool wants_stdin = s->spec->stdin_mode && strcmp(s->spec->stdin_mode, "open") == 0;
    if (!tty && wants_stdin && make_pipe(s, &s->in.w.fd, &s->child_fd[0], false) < 0) return -1;
    if (!tty && make_pipe(s, &s->out[0].w.fd, &s->child_fd[1], true) < 0) return -1;
    // With a tty this pipe only carries the runtime's own complaints.
    return make_pipe(s, &s->out[1].w.fd, &s->child_fd[2], true);
}

void stream_begin(struct shim *s) {
    if (s->spec->tty) {
        close(s->out[1].w.fd);
        s->out[1].w.fd = -1;
        s->out[0].w.fd = s->master;
        bool wants_stdin = s->spec->stdin_mode && strcmp(s->spec->stdin_mode, "open") == 0;
        if (wants_stdin) s->in.w.fd = fcntl(s->master, F_DUPFD_CLOEXEC, 3);
        s->master = -1;
    }
    for (int i = 0; i < 2; i++) s->out[i].open = s->out[i].w.fd >= 0;
    stream_update(s);
    conn_update_all(s);
}

static bool held_back(const struct shim *s, const struct stream *st) {
    if (s->log.stalled && s->state == RUNNING) return true;
    size_t limit = st->held ? RESUME_AT : HOLD_AT;
    for (const struct conn *c = s->conns; c; c = c->next) {
        if (c->role == &attach_role && c->want[st->index] && c->out.len >= limit) return true;
    }
    return false;
}

void stream_update(struct shim *s) {
    if (s->state != RUNNING && s->state != DRAINING) return;
    for (int i = 0; i < 2; i++) {
        struct stream *st = &s->out[i];
        if (!st->open) continue;
        st->held = held_back(s, st);
        if (st->held) loop_unwatch(&s->loop, &st->w);
        else loop_watch(&s->loop, &st->w, EPOLLIN);
    }
}

static void end_of(struct stream *st) {
    struct shim *s = st->s;
    // Closing a pty's master would hang up a process that only let go of its terminal.
    if (s->spec->tty) loop_unwatch(&s->loop, &st->w);
    else loop_shut(&s->loop, &st->w);
    st->open = false;
    log_end(&s->log, st->index, now_unix_ns());
}

// A batch is logged whole even where a rotation has to wait for the compressor: small files want small batches.
static size_t batch_size(const struct shim *s) {
    if (!s->log.compresses || !s->log.max_size) return IO_CHUNK;
    int64_t size = s->log.compressing ? IO_CHUNK_MIN : s->log.max_size / 64;
    return size < IO_CHUNK_MIN ? IO_CHUNK_MIN : size > IO_CHUNK ? IO_CHUNK : (size_t)size;
}

// One batch: up to batch_size bytes, 0 when there are none now, -1 at the end. A pty gives 4 KiB a read: several make a batch.
static ssize_t read_batch(struct stream *st, char *io) {
    size_t got = 0, size = batch_size(st->s);
    bool tty = st->s->spec->tty;
    do {
        ssize_t n = read(st->w.fd, io + got, size - got);
        if (n > 0) got += (size_t)n;
        else if (n < 0 && errno == EINTR) continue;
        else if (n < 0 && errno == EAGAIN) break;
        else return got ? (ssize_t)got : -1;
    } while (!got || (tty && got + IO_CHUNK_MIN <= size));
    return (ssize_t)got;
}

// Passes on one batch; its size, 0 when nothing came.
static size_t relay(struct stream *st) {
    struct shim *s = st->s;
    char *io = shim_io(s);
    if (!io) return 0;
    ssize_t n = read_batch(st, io);
    if (n < 0) end_of(st);
    if (n <= 0) return 0;
    attach_output(s, st->index, io, (size_t)n);
    if (s->log.fd < 0) return (size_t)n;
    log_feed(&s->log, st->index, io, (size_t)n, now_unix_ns());
    log_flush(&s->log);
    if (s->log.rotated) process_compress(s);
    return (size_t)n;
}

static void on_output(struct watch *w, uint32_t events) {
    (void)events;
    struct stream *st = w->owner;
    struct shim *s = st->s;
    relay(st);
    stream_update(s);
    if (s->state == DRAINING && stream_ended(s)) shim_exited(s);
}

void stream_rescue(struct shim *s) {
    for (int i = 0; i < 2; i++) {
        // A pipe holds at most its size; somebody who still writes into it is not waited for.
        for (size_t got = 1, all = 0; got && s->out[i].open && all < HOLD_AT; all += got) got = relay(&s->out[i]);
    }
}

bool stream_ended(const struct shim *s) { return !s->out[0].open && !s->out[1].open; }

void stream_close(struct shim *s) {
    for (int i = 0; i < 2; i++) {
        if (s->out[i].open) end_of(&s->out[i]);
        loop_shut(&s->loop, &s->out[i].w);
    }
    s->in.closing = true;
    s->in.len = 0;
    free(s->in.pending);
    s->in.pending = NULL;
    loop_shut(&s->loop, &s->in.w);
}

bool input_ready(const struct shim *s) {
    if (s->in.closing || s->state >= DRAINING) return true;  // thrown away
    if (s->spec->tty && s->state < RUNNING) return false;  // the pty is not here yet
    if (s->in.w.fd < 0) return true;
    return s->state == RUNNING && !s->in.len;
}

static void input_done(struct shim *s) {
    loop_shut(&s->loop, &s->in.w);
    free(s->in.pending);
    s->in.pending = NULL;
    s->in.len = 0;
    s->in.closing = true;
}

static void input_flush(struct shim *s) {
    struct input *in = &s->in;
    while (in->len && in->w.fd >= 0) {
        ssize_t n = write(in->w.fd, in->pending + in->head, in->len);
        if (n < 0 && errno == EINTR) continue;
        if (n == 0 || (n < 0 && errno == EAGAIN)) {
            loop_watch(&s->loop, &in->w, EPOLLOUT);
            return;
        }
        if (n < 0) {
            input_done(s);  // nobody reads it any more
            break;
        }
        in->head += (size_t)n;
        in->len -= (size_t)n;
    }
    free(in->pending);
    in->pending = NULL;
    loop_unwatch(&s->loop, &in->w);
    if (in->closing) input_done(s);
}

static void on_input(struct watch *w, uint32_t events) {
    (void)events;
    struct shim *s = w->owner;
    input_flush(s);
    if (!s->in.len) conn_update_all(s);
}

void input_write(struct shim *s, const char *data, size_t n) {
    struct input *in = &s->in;
    if (in->closing || in->w.fd < 0) return;
    ssize_t done = write(in->w.fd, data, n);
    if (done < 0 && errno != EAGAIN && errno != EINTR) {
        input_done(s);
        return;
    }
    size_t rest = n - (done > 0 ? (size_t)done : 0);
    if (!rest) return;
    in->pending = malloc(rest);
    if (!in->pending) {
        input_done(s);
        return;
    }
    memcpy(in->pending, data + n - rest, rest);
    in->head = 0;
    in->len = rest;
    loop_watch(&s->loop, &in->w, EPOLLOUT);
}

void input_close(struct shim *s) {
    s->in.closing = true;
    if (!s->in.len) input_done(s);
    conn_update_all(s);
}
