// Owns: attachers: framing output to them, taking stdin from them. Refuses: keeping more than they may lag behind.
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "shim.h"

enum { HEAD = 8 };

static bool parse(struct conn *c, char *payload, size_t size) {
    struct fields fields;
    const char *key;
    char *value;
    if (!fields_open(&fields, payload, size)) return false;
    while (fields_next(&fields, &key, &value)) {
        bool *flag = NULL;
        if (strcmp(key, "op") == 0) continue;
        if (strcmp(key, "stdin") == 0) flag = &c->want_stdin;
        else if (strcmp(key, "stdout") == 0) flag = &c->want[0];
        else if (strcmp(key, "stderr") == 0) flag = &c->want[1];
        if (!flag) continue;
        int64_t on;
        if (!parse_num(value, 0, 1, &on)) return false;
        *flag = on;
    }
    return true;
}

static void begin(struct conn *c, char *payload, size_t size) {
    struct shim *s = c->s;
    if (!parse(c, payload, size)) {
        conn_free(c);
        return;
    }
    c->role = &attach_role;
    struct buf b = {0};
    msg_begin(&b);
    msg_num(&b, "ok", 1);
    msg_end(&b);
    if (b.bad) {
        conn_free(c);
        return;
    }
    if (c->want_stdin && !s->stdin_claimed) c->first_stdin = s->stdin_claimed = true;
    conn_update(c);
    conn_send(c, &(struct iovec){b.data, b.len}, 1);
    buf_free(&b);
    if (s->state >= EXITED && c->w.on) conn_end(c);
}

static bool may_read(const struct conn *c) { return !c->want_stdin || input_ready(c->s); }

// End of what this client sends.
static void input_ended(struct conn *c) {
    struct shim *s = c->s;
    c->in_open = false;
    bool closes = c->first_stdin && s->spec->stdin_once && !s->spec->tty;
    if (c->out_open) conn_update(c);
    else conn_free(c);
    if (closes) input_close(s);
}

static void readable(struct conn *c, uint32_t events) {
    if (!c->in_open) {
        if ((events & (EPOLLHUP | EPOLLERR)) && !c->out_open) conn_free(c);
        return;
    }
    char *io = shim_io(c->s);
    while (io && may_read(c)) {
        ssize_t n = read(c->w.fd, io, IO_CHUNK);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) {
            input_ended(c);
            return;
        }
        if (c->want_stdin) input_write(c->s, io, (size_t)n);
        if (n < IO_CHUNK && !(events & EPOLLHUP)) break;
    }
    conn_update(c);
}

void attach_output(struct shim *s, int index, const char *data, size_t n) {
    unsigned char head[HEAD] = {[0] = (unsigned char)(index + 1)};
    for (int i = 0; i < 4; i++) head[4 + i] = (unsigned char)(n >> (24 - 8 * i));
    struct iovec iov[2] = {{head, HEAD}, {(char *)(uintptr_t)data, n}};
    int skip = s->spec->tty ? 1 : 0;
    for (struct conn *c = s->conns, *next; c; c = next) {
        next = c->next;
        if (c->role == &attach_role && c->want[index] && !c->ending) conn_send(c, iov + skip, 2 - skip);
    }
}

void attach_end_all(struct shim *s) {
    for (struct conn *c = s->conns, *next; c; c = next) {
        next = c->next;
        if (c->role == &attach_role) conn_end(c);
    }
}

const struct conn_role attach_role = {
    .op = "op=attach",
    .begin = begin,
    .readable = readable,
    .may_read = may_read,
    .sent = stream_update,
    .keeps_input = true,
};
