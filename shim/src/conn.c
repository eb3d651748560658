// Owns: accepting, first frames, queued sending and closing of connections. Refuses: the meaning of what is sent.
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shim.h"

void conn_free(struct conn *c) {
    struct shim *s = c->s;
    if (c->prev) c->prev->next = c->next;
    else s->conns = c->next;
    if (c->next) c->next->prev = c->prev;
    loop_shut(&s->loop, &c->w);
    frame_drop(&c->reader);
    free(c->out.data);
    loop_free_later(&s->loop, c);
}

// A close with unread input would reach the peer as ECONNRESET instead of end of file.
static void close_gently(struct conn *c) {
    shutdown(c->w.fd, SHUT_RD);
    char rest[4096];
    while (read(c->w.fd, rest, sizeof rest) > 0) {
    }
    conn_free(c);
}

void conn_end(struct conn *c) {
    c->ending = true;
    if (c->out.len && c->out_open) conn_update(c);
    else close_gently(c);
}

static bool enqueue(struct queue *q, const char *data, size_t n) {
    if (q->head + q->len + n > q->cap) {
        size_t cap = q->cap ? q->cap : 4096;
        while (cap < q->len + n) cap *= 2;
        char *p = cap > q->cap ? malloc(cap) : q->data;
        if (!p) return false;
        if (q->len) memmove(p, q->data + q->head, q->len);
        if (p != q->data) free(q->data);
        *q = (struct queue){.data = p, .len = q->len, .cap = cap};
    }
    memcpy(q->data + q->head + q->len, data, n);
    q->len += n;
    return true;
}

// The receiving side is gone. What the client sent before is still taken from an attacher.
static void out_lost(struct conn *c) {
    c->out_open = false;
    free(c->out.data);
    c->out = (struct queue){0};
    if (c->role && c->role->keeps_input && c->in_open && !c->ending) conn_update(c);
    else conn_free(c);
}

void conn_send(struct conn *c, const struct iovec *iov, int n) {
    if (!c->out_open) return;
    size_t total = 0, done = 0;
    for (int i = 0; i < n; i++) total += iov[i].iov_len;
    if (!c->out.len) {
        ssize_t w = writev(c->w.fd, iov, n);
        if (w < 0 && errno != EAGAIN && errno != EINTR) {
            out_lost(c);
            return;
        }
        done = w > 0 ? (size_t)w : 0;
        if (done == total) return;
    }
    for (int i = 0; i < n; i++) {
        if (done >= iov[i].iov_len) {
            done -= iov[i].iov_len;
            continue;
        }
        if (!enqueue(&c->out, (char *)iov[i].iov_base + done, iov[i].iov_len - done)) {
            out_lost(c);
            return;
        }
        done = 0;
    }
    if (c->role && c->role->queue_max && c->out.len > c->role->queue_max) out_lost(c);
    else conn_update(c);
}

static void role_sent(struct shim *s, const struct conn_role *role) {
    if (role && role->sent) role->sent(s);
}

static void flush(struct conn *c) {
    struct shim *s = c->s;
    const struct conn_role *role = c->role;  // c may go
    while (c->out.len) {
        ssize_t n = write(c->w.fd, c->out.data + c->out.head, c->out.len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        if (n < 0) {
            out_lost(c);
            role_sent(s, role);
            return;
        }
        c->out.head += (size_t)n;
        c->out.len -= (size_t)n;
    }
    bool emptied = !c->out.len;
    if (emptied) {
        free(c->out.data);
        c->out = (struct queue){0};
    }
    if (emptied && c->ending) close_gently(c);
    else conn_update(c);
    role_sent(s, role);
}

static void first_frame(struct conn *c) {
    enum frame_state st = frame_read(&c->reader, c->w.fd);
    if (st == FRAME_MORE) return;
    if (st != FRAME_DONE) {
        conn_free(c);
        return;
    }
    uint32_t size = c->reader.size;
    char *payload = frame_take(&c->reader);
    const struct conn_role *role = NULL;
    for (const struct conn_role *const *at = c->s->roles; *at && !role; at++) {
        size_t n = strlen((*at)->op) + 1;  // with the NUL: other fields may follow
        if (size >= n && memcmp(payload, (*at)->op, n) == 0) role = *at;
    }
    if (role) role->begin(c, payload, size);
    else conn_free(c);
    free(payload);
}

static void on_event(struct watch *w, uint32_t events) {
    struct conn *c = w->owner;
    struct shim *s = c->s;
    const struct conn_role *role = c->role;
    if (events & EPOLLOUT) {
        flush(c);
        if (!w->on) return;
    }
    if ((events & (EPOLLHUP | EPOLLERR)) && role && role->keeps_input && c->out_open) {
        out_lost(c);
        role_sent(s, role);
        if (!w->on) return;
    }
    if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
    if (role) role->readable(c, events);
    else first_frame(c);
}

void conn_update(struct conn *c) {
    uint32_t want = c->out.len ? EPOLLOUT : 0;
    bool reads = !c->role || !c->role->may_read || (c->in_open && c->role->may_read(c));
    if (reads) want |= EPOLLIN;
    // The peer hung up but its input has to wait: a hang-up would be reported again and again.
    if (!want && !c->out_open) loop_unwatch(&c->s->loop, &c->w);
    else loop_watch(&c->s->loop, &c->w, want);
}

void conn_update_all(struct shim *s) {
    for (struct conn *c = s->conns, *next; c; c = next) {
        next = c->next;
        if (c->role && c->role->may_read) conn_update(c);
    }
}

static bool accept_one(struct shim *s) {
    int fd = accept4(s->listen.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)) {
        // The waiting connection would be reported again and again.
        loop_unwatch(&s->loop, &s->listen);
        s->accept_at = now_mono_ms() + ACCEPT_AGAIN_MS;
        return false;
    }
    if (fd < 0) return errno == EINTR || errno == ECONNABORTED;
    struct conn *c = calloc(1, sizeof *c);
    if (!c) {
        close(fd);
        return true;
    }
    *c = (struct conn){.w = {.fd = fd, .fn = on_event, .owner = c}, .s = s, .next = s->conns};
    c->in_open = c->out_open = true;
    if (s->conns) s->conns->prev = c;
    s->conns = c;
    if (loop_watch(&s->loop, &c->w, EPOLLIN)) conn_free(c);
    else first_frame(c);
    return true;
}

void conn_accept_all(struct shim *s) {
    while (accept_one(s)) {
    }
}

static void on_listen(struct watch *w, uint32_t events) {
    (void)events;
    conn_accept_all(w->owner);
}

void conn_listen(struct shim *s, int fd) {
    s->listen = (struct watch){.fd = fd, .fn = on_listen, .owner = s};
    loop_watch(&s->loop, &s->listen, EPOLLIN);
}
