// Owns: the runtime, the process it leaves, and the shim's other children. Refuses: signalling a pid that was reaped.
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
#include "shim.h"

static void on_session(struct watch *w, uint32_t events);

static void close_child_fds(struct shim *s) {
    for (int i = 0; i < 3; i++) {
        if (s->child_fd[i] >= 0) close(s->child_fd[i]);
        s->child_fd[i] = -1;
    }
}

// The two ends: ours in s->session, the process's as the result, -1 with s->fail. Above what a runtime gets by number.
static int open_session(struct shim *s) {
    int p[2];
    if (pipe2(p, O_CLOEXEC | O_NONBLOCK) < 0) return fail_set(&s->fail, "pipe", errno, NULL);
    int theirs = fcntl(p[1], F_DUPFD_CLOEXEC, 10);
    if (theirs < 0) fail_set(&s->fail, "pipe", errno, NULL);
    close(p[1]);
    s->session = (struct watch){.fd = p[0], .fn = on_session, .owner = s};
    int err = theirs < 0 ? 0 : loop_watch(&s->loop, &s->session, EPOLLIN);
    if (!err) return theirs;
    close(theirs);
    return fail_set(&s->fail, "pipe", err, NULL);
}

int process_start(struct shim *s) {
    s->state = STARTING;
    int more[2] = {(int)s->spec->session, -1};
    if (s->spec->session && (more[1] = open_session(s)) < 0) return -1;
    int err = s->child_fd[2];
    struct launch what = {
        .argv = s->spec->args.v,
        .in = s->child_fd[0],
        .out = s->spec->tty ? err : s->child_fd[1],
        .err = err,
        .more = s->spec->session ? more : NULL,
        .reset_oom_score = s->spec->has_oom_score_adj,
    };
    pid_t pid = launch(&what);
    int failed = pid < 0 ? errno : 0;
    if (more[1] >= 0) close(more[1]);
    close_child_fds(s);
    if (failed) return fail_set(&s->fail, "exec", failed, s->spec->args.v[0]);
    s->runtime = pid;
    return 0;
}

// What the runtime said about its failure: its log's tail, else what it wrote, else its status.
static void runtime_failed(struct shim *s, int status) {
    size_t len = 0;
    char *text = s->spec->fail_file ? record_tail(s, s->spec->fail_file, &len) : NULL;
    if (!len) {
        free(text);
        text = malloc(FAIL_TEXT_MAX);
        ssize_t n = text ? read(s->out[1].w.fd, text, FAIL_TEXT_MAX) : 0;
        len = n > 0 ? (size_t)n : 0;
    }
    if (len) {
        fail_set_bytes(&s->fail, "runtime", 0, text, len);
    } else {
        char said[64] = "the runtime exited with status ";
        if (WIFSIGNALED(status)) strcpy(said, "the runtime was killed by signal ");
        format_num(said + strlen(said), WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        fail_set(&s->fail, "runtime", 0, said);
    }
    free(text);
    shim_fail(s);
}

static int runtime_succeeded(struct shim *s) {
    if (s->spec->tty && tty_finish(s) < 0) return -1;
    pid_t pid;
    int err = record_read_pid(s, &pid);
    if (err) return fail_set(&s->fail, "pid-file", err, s->spec->pid_file);
    s->process = pid;
    return 0;
}

static void now_running(struct shim *s) {
    s->started_at = now_unix_ns();
    s->state = RUNNING;
    control_broadcast(s);
    stream_begin(s);
    oom_begin(s);
}

// crun leaves the process to a helper that outlives it for a moment: the process becomes the shim's child when the
// helper, itself a child by now, ends; its SIGCHLD brings us here again.
static int adopt(struct shim *s) {
    siginfo_t info;
    if (s->session.fd >= 0) return 0;  // it is not yet what it shall be
    for (int tries = 0; tries < 2; tries++) {
        if (waitid(P_PID, (id_t)s->process, &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
            now_running(s);
            return 0;
        }
        if (record_descends(s->process)) return 0;
    }
    return fail_set(&s->fail, "pid-file", ECHILD, "the process is no child of the shim");
}

static void process_ended(struct shim *s, int status) {
    s->exited_at = now_unix_ns();
    s->process = 0;
    s->code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    s->state = DRAINING;
    oom_end(s);
    stream_rescue(s);
    stream_update(s);
    if (stream_ended(s)) shim_exited(s);
    else s->drain_at = now_mono_ms() + s->spec->drain_ms;
}

static void compressed(struct shim *s, int status) {
    s->compressor = 0;
    s->log.compressing = s->log.stalled = false;
    if (status) shim_complain(s, "log-compress", ECANCELED);
    stream_update(s);
}

void process_close_session(struct shim *s) { loop_shut(&s->loop, &s->session); }

// What the process reports of itself. False: nothing yet; else it is what it shall be, or s->fail says why not.
static bool session_reported(struct shim *s, bool *failed) {
    int err = 0;
    ssize_t n = read(s->session.fd, &err, sizeof err);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    process_close_session(s);
    *failed = n == sizeof err;
    if (*failed) fail_set(&s->fail, "session", err, NULL);
    return true;
}

static void on_session(struct watch *w, uint32_t events) {
    (void)events;
    struct shim *s = w->owner;
    bool failed = false;
    if (!session_reported(s, &failed) || s->state != STARTING) return;
    if (failed || (s->process && adopt(s) < 0)) shim_fail(s);
}

// The process ended while it was being started: before, or after it had become what it shall be.
static bool started_at_all(struct shim *s) {
    bool failed = false;
    if (s->session.fd >= 0) session_reported(s, &failed);
    process_close_session(s);
    return !failed;
}

void process_reap(struct shim *s) {
    int status;
    if (s->runtime) {
        // Others may be zombies already, the process itself among them: they wait until its pid is known.
        if (waitpid(s->runtime, &status, WNOHANG) != s->runtime) return;
        s->runtime = 0;
        if (status) runtime_failed(s, status);
        else if (runtime_succeeded(s) < 0) shim_fail(s);
    }
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == s->process) {
            if (s->state == STARTING && !started_at_all(s)) {
                s->process = 0;
                shim_fail(s);
                continue;
            }
            if (s->state == STARTING) now_running(s);
            if (s->state == RUNNING) process_ended(s, status);
            s->process = 0;
        } else if (pid == s->cleanup) {
            s->cleanup = 0;
        } else if (pid == s->compressor) {
            compressed(s, status);
        }
    }
    if (s->state == STARTING && s->process && adopt(s) < 0) shim_fail(s);
}

int process_signal(struct shim *s, int sig) {
    if (s->state != RUNNING || !s->process) return ESRCH;
    return kill(s->process, sig) < 0 ? errno : 0;
}

void process_stop_runtime(struct shim *s) {
    if (s->runtime) kill(s->runtime, SIGKILL);
    else if (s->process) kill(s->process, SIGKILL);
}

// Starts a command whose end only process_reap sees; 0 when it could not be.
static pid_t background(struct shim *s, const struct strv *args, const char *name) {
    struct launch what = {.argv = args->v, .in = -1, .out = -1, .err = -1};
    what.reset_oom_score = s->spec->has_oom_score_adj;
    pid_t pid = launch(&what);
    if (pid < 0) shim_complain(s, name, errno);
    return pid < 0 ? 0 : pid;
}

void process_cleanup(struct shim *s) {
    if (s->spec->cleanup.n) s->cleanup = background(s, &s->spec->cleanup, "cleanup");
}

void process_compress(struct shim *s) {
    s->log.rotated = s->log.compressing = false;
    struct strv *args = &s->spec->compress;
    size_t len = strlen(s->spec->log_path);
    char *name = malloc(len + 3);
    if (!name) return;
    memcpy(name, s->spec->log_path, len);
    memcpy(name + len, ".1", 3);
    if (strv_add(args, name)) {
        s->compressor = background(s, args, "log-compress");
        args->v[--args->n] = NULL;
    }
    if (s->compressor) s->log.compressing = true;
    else s->log.stalled = false;
    free(name);
}
