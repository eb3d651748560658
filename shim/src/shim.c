// Owns: the life of a shim from fork to exit: set-up, event loop, deadlines, end. Refuses: dying while its process lives.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "launch.h"
#include "shim.h"
#include "steps.h"

char *shim_io(struct shim *s) {
    if (!s->io) s->io = malloc(IO_CHUNK);
    s->trim_at = 1;  // set anew before the loop waits
    return s->io;
}

static void on_signal(struct watch *w, uint32_t events) {
    (void)events;
    struct signalfd_siginfo info[8];
    while (read(w->fd, info, sizeof info) > 0) {
    }
    process_reap(w->owner);
}

static void set_oom_score(const struct shim *s) {
    if (!s->spec->has_oom_score_adj) return;
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    char text[24];
    size_t n = format_num(text, s->spec->oom_score_adj);
    if (fd < 0 || write(fd, text, n) < 0) {
        // Without the privilege the shim is as likely a victim as any other process.
    }
    if (fd >= 0) close(fd);
}

static int open_log(struct shim *s) {
    const struct spec *spec = s->spec;
    if (!spec->log_path) return 0;
    s->log.complain = shim_complain;
    s->log.owner = s;
    s->log.compresses = spec->compress.n > 0;
    int err = log_open(&s->log, spec->log_path, spec->log_attrs, spec->log_max_size, spec->log_max_files);
    return err ? fail_set(&s->fail, "log", err, spec->log_path) : 0;
}

// Everything before `ready`. The working directory is the run directory.
static int set_up(struct shim *s) {
    unlinkat(s->dirfd, "exit", 0);
    if (s->spec->pid_file) unlinkat(s->dirfd, s->spec->pid_file, 0);
    record_pid(s);
    record_reserve(s);
    set_oom_score(s);
    if (open_log(s) < 0) return -1;
    if (stream_prepare(s) < 0) return -1;
    if (s->spec->tty && tty_listen(s) < 0) return -1;
    return steps_run(&s->spec->steps, &s->fail);
}

static void begin_end(struct shim *s) {
    s->linger_at = now_mono_ms() + s->spec->linger_ms;
    attach_end_all(s);
    process_cleanup(s);
}

void shim_fail(struct shim *s) {
    s->state = FAILED;
    process_close_session(s);
    stream_close(s);
    log_close(&s->log);
    record_failure(s);
    control_broadcast(s);
    begin_end(s);
}

void shim_abandon(struct shim *s) {
    if (s->state == STARTING) {
        process_stop_runtime(s);  // its end is a failed start
        return;
    }
    s->state = ABANDONED;
    fail_set(&s->fail, "abandon", ECANCELED, NULL);
    stream_close(s);
    log_close(&s->log);
    control_broadcast(s);
    begin_end(s);
}

void shim_exited(struct shim *s) {
    s->drain_at = 0;
    stream_close(s);
    log_close(&s->log);
    s->state = EXITED;
    record_exit(s);
    control_broadcast(s);
    begin_end(s);
}

static bool has_attachers(const struct shim *s) {
    for (const struct conn *c = s->conns; c; c = c->next) {
        if (c->role == &attach_role) return true;
    }
    return false;
}

static bool finished(const struct shim *s, int64_t now) {
    if (s->state < EXITED || s->cleanup) return false;
    return now >= s->linger_at || (!has_attachers(s) && !s->compressor);
}

static void trim(struct shim *s) {
    free(s->io);
    s->io = NULL;
    s->trim_at = 0;
    log_trim(&s->log);
    malloc_trim(0);
}

static int until(int64_t deadline, int64_t now, int wait) {
    if (!deadline) return wait;
    int left = deadline > now ? (int)(deadline - now) : 0;
    return wait < 0 || left < wait ? left : wait;
}

// Milliseconds the loop may sleep, after doing what is due.
static int deadlines(struct shim *s) {
    int64_t now = now_mono_ms();
    if (s->drain_at && now >= s->drain_at) {
        stream_rescue(s);
        if (s->state == DRAINING) shim_exited(s);
    }
    if (s->accept_at && now >= s->accept_at) {
        s->accept_at = 0;
        loop_watch(&s->loop, &s->listen, EPOLLIN);
    }
    if (s->oom_at && now >= s->oom_at) oom_again(s);
    if (s->trim_at == 1) s->trim_at = now + TRIM_AFTER_MS;
    else if (s->trim_at && now >= s->trim_at) trim(s);
    int wait = until(s->drain_at, now, -1);
    wait = until(s->trim_at, now, wait);
    wait = until(s->accept_at, now, wait);
    wait = until(s->oom_at, now, wait);
    return s->linger_at > now ? until(s->linger_at, now, wait) : wait;
}

// Late comers get the state, then the socket closes: everything is done.
static void end(struct shim *s) {
    unlinkat(s->dirfd, "sock", 0);
    conn_accept_all(s);
    for (struct conn *c = s->conns, *next; c; c = next) {
        next = c->next;
        conn_end(c);
    }
}

static void run(struct shim *s) {
    if (set_up(s) < 0) {
        shim_fail(s);
    } else if (s->spec->auto_start && process_start(s) < 0) {
        shim_fail(s);
    } else {
        control_broadcast(s);
    }
    for (;;) {
        int wait = deadlines(s);
        if (s->state >= EXITED && finished(s, now_mono_ms())) break;
        loop_turn(&s->loop, wait);
    }
    end(s);
}

static int open_signals(struct shim *s) {
    sigset_t chld;
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    sigprocmask(SIG_BLOCK, &chld, NULL);
    int fd = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) return errno;
    s->signals = (struct watch){.fd = fd, .fn = on_signal, .owner = s};
    return loop_watch(&s->loop, &s->signals, EPOLLIN);
}

_Noreturn void shim_main(struct spec *spec, int listen_fd, int dir_fd) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    signals_ignore();
    mallopt(M_MMAP_THRESHOLD, 32 * 1024);  // chunks and queues go back to the system when freed
    static const struct conn_role *const roles[] = {&control_role, &attach_role, NULL};
    struct shim s = {.spec = spec, .dirfd = dir_fd, .log = {.fd = -1}, .state = READY, .roles = roles};
    s.console_listen.fd = s.console_conn.fd = s.oom.fd = s.session.fd = -1;
    stream_init(&s);
    if (loop_open(&s.loop) || open_signals(&s)) _exit(1);
    conn_listen(&s, listen_fd);
    run(&s);
    _exit(0);
}
