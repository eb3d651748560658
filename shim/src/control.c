// Owns: control connections: states out, commands in. Refuses: acting beyond calling the part that owns the act.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim.h"

struct command {
    const char *op, *seq;
    int64_t sig, rows, cols;
};

static void send_buf(struct conn *c, struct buf *b) {
    msg_end(b);
    if (b->bad) conn_free(c);
    else conn_send(c, &(struct iovec){b->data, b->len}, 1);
}

static void put_failure(struct buf *b, const struct fail *f) {
    msg_str(b, "stage", f->stage);
    msg_num(b, "errno", f->err);
    msg_str(b, "text", fail_text(f));
}

// Raised when events or commands change their meaning; new ones and new keys alone leave it, for both sides pass over what they
// do not know.
#define PROTOCOL_VERSION 1

static void build_state(const struct shim *s, struct buf *b) {
    msg_begin(b);
    msg_num(b, "version", PROTOCOL_VERSION);
    switch (s->state) {
        case READY:
        case STARTING:
            msg_str(b, "ev", "ready");
            msg_num(b, "pid", getpid());
            break;
        case RUNNING:
        case DRAINING:
            msg_str(b, "ev", "started");
            msg_num(b, "pid", s->process);
            msg_num(b, "at", s->started_at);
            if (s->oom_kills) msg_num(b, "oom", s->oom_kills);
            break;
        case EXITED:
            msg_str(b, "ev", "exited");
            msg_num(b, "code", s->code);
            msg_num(b, "at", s->exited_at);
            msg_num(b, "oom", s->oom_kills > 0);
            break;
        case FAILED:
        case ABANDONED:
            msg_str(b, "ev", "failed");
            put_failure(b, &s->fail);
            break;
    }
}

static void send_all(struct shim *s, struct buf *b) {
    msg_end(b);
    for (struct conn *c = s->conns, *next; c && !b->bad; c = next) {
        next = c->next;
        if (c->role == &control_role) conn_send(c, &(struct iovec){b->data, b->len}, 1);
    }
    buf_free(b);
}

void control_broadcast(struct shim *s) {
    struct buf b = {0};
    build_state(s, &b);
    send_all(s, &b);
}

void control_oom(struct shim *s) {
    struct buf b = {0};
    msg_begin(&b);
    msg_str(&b, "ev", "oom");
    msg_num(&b, "kills", s->oom_kills);
    send_all(s, &b);
}

static void begin(struct conn *c, char *payload, size_t size) {
    (void)payload;
    (void)size;
    c->role = &control_role;
    struct buf b = {0};
    build_state(c->s, &b);
    send_buf(c, &b);
    buf_free(&b);
}

static int refuse(struct fail *f, const char *stage, int err) { return err ? fail_set(f, stage, err, NULL) : 0; }

static int act(struct shim *s, const struct command *cmd, struct fail *f) {
    const char *op = cmd->op ? cmd->op : "";
    if (strcmp(op, "start") == 0) {
        if (s->state != READY) return refuse(f, op, EALREADY);
        if (!s->spec->args.n) return refuse(f, op, EINVAL);
        return 0;  // the answer goes first, see readable
    }
    if (strcmp(op, "signal") == 0) {
        if (cmd->sig < 0 || cmd->sig > SIGRTMAX) return refuse(f, op, EINVAL);
        return refuse(f, op, process_signal(s, (int)cmd->sig));
    }
    if (strcmp(op, "resize") == 0) return refuse(f, op, tty_resize(s, cmd->rows, cmd->cols));
    if (strcmp(op, "close-stdin") == 0) {
        if (s->spec->tty) return refuse(f, op, ENOTTY);
        input_close(s);
        return 0;
    }
    if (strcmp(op, "abandon") == 0) return refuse(f, op, s->state <= STARTING ? 0 : EALREADY);
    return fail_set(f, "parse", EINVAL, "unknown op");
}

static int parse(char *payload, size_t size, struct command *cmd, struct fail *f) {
    struct fields fields;
    const char *key;
    char *value;
    *cmd = (struct command){.sig = -1};
    if (!fields_open(&fields, payload, size)) return fail_set(f, "parse", EINVAL, "malformed fields");
    while (fields_next(&fields, &key, &value)) {
        int64_t *num = NULL;
        if (strcmp(key, "op") == 0) cmd->op = value;
        else if (strcmp(key, "seq") == 0) cmd->seq = value;
        else if (strcmp(key, "sig") == 0) num = &cmd->sig;
        else if (strcmp(key, "rows") == 0) num = &cmd->rows;
        else if (strcmp(key, "cols") == 0) num = &cmd->cols;
        if (num && !parse_num(value, 0, 65535, num)) return fail_set(f, "parse", EINVAL, key);
    }
    return 0;
}

// Answers and carries out one command. Afterwards c may be gone.
static void command(struct conn *c, char *payload, size_t size) {
    struct shim *s = c->s;
    struct command cmd;
    struct fail f = {0};
    int bad = parse(payload, size, &cmd, &f);
    if (!bad) bad = act(s, &cmd, &f);
    struct buf b = {0};
    msg_begin(&b);
    if (cmd.seq) msg_str(&b, "seq", cmd.seq);
    if (bad) put_failure(&b, &f);
    else msg_num(&b, "ok", 1);
    send_buf(c, &b);
    buf_free(&b);
    fail_clear(&f);
    if (bad) return;
    if (strcmp(cmd.op, "start") == 0 && process_start(s) < 0) shim_fail(s);
    if (strcmp(cmd.op, "abandon") == 0) shim_abandon(s);
}

static void readable(struct conn *c, uint32_t events) {
    (void)events;
    for (;;) {
        enum frame_state st = frame_read(&c->reader, c->w.fd);
        if (st == FRAME_MORE) return;
        if (st != FRAME_DONE) {
            conn_free(c);
            return;
        }
        uint32_t size = c->reader.size;
        char *payload = frame_take(&c->reader);
        command(c, payload, size);
        free(payload);
        if (!c->w.on) return;
    }
}

const struct conn_role control_role = {
    .op = "op=control",
    .begin = begin,
    .readable = readable,
    .queue_max = CONTROL_QUEUE_MAX,
};
