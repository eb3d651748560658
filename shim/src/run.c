// Owns: short commands of the spawner: output, time-out, answer. Refuses: unbounded output; waiting for those who keep the pipes.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch.h"
#include "spawner.h"
#include "steps.h"

// KILLED_MS: what a killed command gets to end in; one that a dead file system holds may never.
enum { OUTPUT_MAX = 64 * 1024, CHUNK = 16 * 1024, FAILURE_MAX = 4096, KILLED_MS = 1000 };

struct run {
    struct run *next;
    struct spawner *sp;
    struct watch out[2];
    struct buf text[2];
    int status_fd;  // read end: the forked child's failure before exec, as one frame
    pid_t pid;
    int64_t deadline;
    bool timed_out, answered;
    char seq[24];
};

// Takes what is there now; false at the end of the stream. Bytes beyond the limit are dropped.
static bool take(struct run *r, int i) {
    char chunk[CHUNK];
    for (int rounds = 0; rounds < 64; rounds++) {
        ssize_t n = read(r->out[i].fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return true;
        if (n <= 0) return false;
        size_t room = OUTPUT_MAX - r->text[i].len;
        buf_add(&r->text[i], chunk, (size_t)n < room ? (size_t)n : room);
    }
    return true;
}

static void on_output(struct watch *w, uint32_t events) {
    (void)events;
    struct run *r = w->owner;
    int i = w == &r->out[1];
    if (!take(r, i)) loop_shut(&r->sp->loop, w);
}

static void run_free(struct run *r) {
    for (int i = 0; i < 2; i++) {
        loop_shut(&r->sp->loop, &r->out[i]);
        buf_free(&r->text[i]);
    }
    if (r->status_fd >= 0) close(r->status_fd);
    loop_free_later(&r->sp->loop, r);
}

// The child's failure frame, if it sent one.
static bool child_failed(struct run *r, struct fail *f) {
    char frame[FAILURE_MAX];
    ssize_t n = r->status_fd >= 0 ? read(r->status_fd, frame, sizeof frame) : 0;
    struct fields fields;
    const char *key, *stage = "exec", *text = NULL;
    char *value;
    int64_t err = 0;
    if (n <= FRAME_HEAD || !fields_open(&fields, frame + FRAME_HEAD, (size_t)n - FRAME_HEAD)) return false;
    while (fields_next(&fields, &key, &value)) {
        if (strcmp(key, "stage") == 0) stage = value;
        else if (strcmp(key, "errno") == 0) parse_num(value, 0, INT32_MAX, &err);
        else if (strcmp(key, "text") == 0) text = value;
    }
    fail_set_bytes(f, stage, (int)err, text, text ? strlen(text) : 0);
    return true;
}

static void answer(struct run *r, int status) {
    struct fail f = {0};
    bool failed = child_failed(r, &f);
    if (!failed && r->timed_out) {
        fail_set(&f, "timeout", ETIMEDOUT, NULL);
        failed = true;
    }
    if (failed) {
        spawner_answer_failure(r->sp, r->seq, &f);
        fail_clear(&f);
        return;
    }
    struct buf b = {0};
    msg_begin(&b);
    msg_str(&b, "seq", r->seq);
    msg_num(&b, "code", WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    msg_bytes(&b, "out", r->text[0].data, r->text[0].len);
    msg_bytes(&b, "err", r->text[1].data, r->text[1].len);
    spawner_answer(r->sp, &b);
}

bool run_reaped(struct spawner *sp, int pid, int status) {
    for (struct run **at = &sp->runs; *at; at = &(*at)->next) {
        struct run *r = *at;
        if (r->pid != pid) continue;
        *at = r->next;
        for (int i = 0; i < 2; i++) {
            if (r->out[i].fd >= 0) take(r, i);
        }
        if (!r->answered) answer(r, status);
        run_free(r);
        return true;
    }
    return false;
}

int run_deadlines(struct spawner *sp) {
    int wait = -1;
    if (!sp->runs) return wait;
    int64_t now = now_mono_ms();
    for (struct run *r = sp->runs; r; r = r->next) {
        if (!r->deadline || r->answered) continue;
        int64_t left = r->deadline - now;
        if (left <= 0 && !r->timed_out) {
            r->timed_out = true;
            kill(-r->pid, SIGKILL);
            kill(r->pid, SIGKILL);  // it may not have made its group yet
            r->deadline = now + KILLED_MS;
            left = KILLED_MS;
        }
        if (left <= 0) {
            answer(r, 0);
            r->answered = true;
        } else if (wait < 0 || left < wait) {
            wait = (int)left;
        }
    }
    return wait;
}

static _Noreturn void run_child(const struct launch *what, const struct strv *steps, int status_fd) {
    struct fail f = {0};
    bool done = steps_run(steps, &f) == 0;
    if (done && !what->argv) _exit(0);
    if (done) fail_set(&f, "exec", launch_exec(what), what->argv[0]);
    struct buf b = {0};
    msg_begin(&b);
    msg_str(&b, "stage", f.stage);
    msg_num(&b, "errno", f.err);
    msg_str(&b, "text", fail_text(&f));
    msg_end(&b);
    ssize_t n = b.bad ? 0 : write(status_fd, b.data, b.len);
    _exit(n > 0 ? 127 : 126);
}

// Without steps nothing has to happen between fork and exec: the fast way.
static pid_t begin(struct run *r, const struct spec *spec, const struct launch *what, struct fail *f) {
    if (!spec->steps.n) {
        pid_t pid = launch(what);
        if (pid < 0) fail_set(f, "exec", errno, what->argv[0]);
        return pid;
    }
    int p[2];
    if (pipe2(p, O_CLOEXEC | O_NONBLOCK) < 0) return fail_set(f, "pipe", errno, NULL);
    pid_t pid = fork();
    if (pid == 0) run_child(what, &spec->steps, p[1]);
    if (pid < 0) fail_set(f, "fork", errno, NULL);
    close(p[1]);
    r->status_fd = p[0];
    return pid;
}

int run_start(struct spawner *sp, const char *seq, struct spec *spec, int64_t timeout_ms, struct fail *f) {
    int pipes[2][2] = {{-1, -1}, {-1, -1}};
    struct run *r = calloc(1, sizeof *r);
    if (!r) return fail_set(f, "parse", ENOMEM, NULL);
    r->sp = sp;
    r->status_fd = -1;
    strncpy(r->seq, seq, sizeof r->seq - 1);
    for (int i = 0; i < 2; i++) {
        if (pipe2(pipes[i], O_CLOEXEC) < 0) fail_set(f, "pipe", errno, NULL);
        r->out[i] = (struct watch){.fd = pipes[i][0], .fn = on_output, .owner = r};
    }
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct launch what = {.argv = spec->args.v, .in = null, .out = pipes[0][1], .err = pipes[1][1], .own_group = true};
    if (pipes[1][1] >= 0 && pipes[0][1] >= 0) r->pid = begin(r, spec, &what, f);
    else r->pid = -1;
    for (int i = 0; i < 2; i++) {
        if (pipes[i][1] >= 0) close(pipes[i][1]);
    }
    if (what.in >= 0) close(what.in);
    if (r->pid < 0) {
        run_free(r);
        return -1;
    }
    for (int i = 0; i < 2; i++) {
        fcntl(r->out[i].fd, F_SETFL, O_NONBLOCK);
        loop_watch(&sp->loop, &r->out[i], EPOLLIN);
    }
    r->deadline = timeout_ms ? now_mono_ms() + timeout_ms : 0;
    r->next = sp->runs;
    sp->runs = r;
    return 0;
}
