// Owns: requests on fd 3: forking shims, starting commands, reaping. Refuses: waiting for anything; outliving the engine.
#define _GNU_SOURCE
#include "spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch.h"
#include "seal.h"
#include "shim.h"

enum { LINK_FD = 3, OUT_MAX = 4 * 1024 * 1024, BACKLOG = 128 };

struct request {
    const char *op, *seq, *path;
    int64_t timeout_ms;
    struct spec spec;
};

static void flush(struct spawner *sp) {
    while (sp->out_head < sp->out.len) {
        ssize_t n = write(LINK_FD, sp->out.data + sp->out_head, sp->out.len - sp->out_head);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        if (n < 0) {
            sp->quit = true;
            return;
        }
        sp->out_head += (size_t)n;
    }
    size_t left = sp->out.len - sp->out_head;
    if (!left) {
        buf_free(&sp->out);
        sp->out_head = 0;
    }
    // An engine that takes no answers gets no further requests served.
    loop_watch(&sp->loop, &sp->link, (left ? EPOLLOUT : 0) | (left < OUT_MAX ? EPOLLIN : 0));
}

void spawner_answer(struct spawner *sp, struct buf *b) {
    msg_end(b);
    if (!b->bad) buf_add(&sp->out, b->data, b->len);
    buf_free(b);
    flush(sp);
}

void spawner_answer_failure(struct spawner *sp, const char *seq, const struct fail *f) {
    struct buf b = {0};
    msg_begin(&b);
    msg_str(&b, "seq", seq);
    msg_str(&b, "stage", f->stage);
    msg_num(&b, "errno", f->err);
    msg_str(&b, "text", fail_text(f));
    spawner_answer(sp, &b);
}

// In the child: its own session, /dev/null as stdio, and no descriptor but these two and the sealed programs.
static _Noreturn void become_shim(char *title, struct spec *spec, int listen_fd, int dir_fd) {
    memcpy(title, "shim\0\0\0", sizeof "spawner" - 1);
    setsid();
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int i = 0; i < 3; i++) dup2(null, i);
    int high_listen = fcntl(listen_fd, F_DUPFD_CLOEXEC, 10), high_dir = fcntl(dir_fd, F_DUPFD_CLOEXEC, 10);
    dup3(high_listen, 3, O_CLOEXEC);
    dup3(high_dir, 4, O_CLOEXEC);
    close_range(5, SEAL_FIRST - 1, 0);
    close_range(SEAL_FIRST + SEAL_MOST, ~0U, 0);
    shim_main(spec, 3, 4);
}

// The listening socket, bound by a short relative name from within dir: the root's path may be of any length.
static int make_socket(const char *dir, struct fail *f) {
    if (chdir(dir) < 0) return fail_set(f, "dir", errno, dir);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return fail_set(f, "socket", errno, NULL);
    struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "sock"};
    unlink("sock");
    if (bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, BACKLOG) == 0) return fd;
    int err = errno;
    close(fd);
    return fail_set(f, "socket", err, dir);
}

static pid_t spawn(struct spawner *sp, struct request *r, struct fail *f) {
    if (spec_check(&r->spec, f) < 0) return -1;
    int fd = make_socket(r->spec.dir, f);
    int dir = fd < 0 ? -1 : open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && dir < 0) fail_set(f, "dir", errno, r->spec.dir);
    pid_t pid = -1;
    if (dir >= 0) {
        pid = fork();
        if (pid == 0) become_shim(sp->title, &r->spec, fd, dir);
        if (pid < 0) {
            fail_set(f, "fork", errno, NULL);
            unlink("sock");
        }
        close(dir);
    }
    if (fd >= 0) close(fd);
    if (chdir("/") < 0 && pid < 0) fail_set(f, "dir", errno, "/");
    return pid;
}

static const char *find(const char *payload, size_t size, const char *prefix) {
    for (const char *p = payload; p < payload + size; p += strlen(p) + 1) {
        if (strncmp(p, prefix, strlen(prefix)) == 0) return p + strlen(prefix);
    }
    return NULL;
}

static bool known_op(const char *op) {
    return op && (strcmp(op, "spawn") == 0 || strcmp(op, "run") == 0 || strcmp(op, "seal") == 0);
}

static bool belongs_to_run(const char *key) {
    return strcmp(key, "arg") == 0 || strcmp(key, "step") == 0;
}

// Strings of the request point into payload.
static int parse(struct request *r, char *payload, size_t size, struct fail *f) {
    struct fields fields;
    const char *key;
    char *value;
    if (!fields_open(&fields, payload, size)) return fail_set(f, "parse", EINVAL, "malformed fields");
    r->op = find(payload, size, "op=");
    r->seq = find(payload, size, "seq=");
    if (!r->seq) return fail_set(f, "parse", EINVAL, "seq is missing");
    if (!known_op(r->op)) return fail_set(f, "parse", EINVAL, "op must be spawn, run or seal");
    bool runs = strcmp(r->op, "run") == 0, seals = strcmp(r->op, "seal") == 0;
    while (fields_next(&fields, &key, &value)) {
        if (strcmp(key, "op") == 0 || strcmp(key, "seq") == 0) continue;
        if (runs && strcmp(key, "timeout-ms") == 0) {
            if (!parse_num(value, 0, INT32_MAX, &r->timeout_ms)) return fail_set(f, "parse", EINVAL, key);
            continue;
        }
        if (seals && strcmp(key, "path") == 0) {
            r->path = value;
            continue;
        }
        if (seals) return fail_set(f, "parse", EINVAL, key);
        int known = runs && !belongs_to_run(key) ? 0 : spec_field(&r->spec, key, value, f);
        if (known < 0) return -1;
        if (!known) return fail_set(f, "parse", EINVAL, key);
    }
    return 0;
}

static int serve_run(struct spawner *sp, struct request *r, struct fail *f) {
    if (!r->spec.args.n && !r->spec.steps.n) return fail_set(f, "parse", EINVAL, "arg is missing");
    return run_start(sp, r->seq, &r->spec, r->timeout_ms, f);
}

// The number that answers a request: a shim's pid, a sealed program's descriptor.
static void answer_number(struct spawner *sp, const char *seq, const char *key, int value) {
    struct buf b = {0};
    msg_begin(&b);
    msg_str(&b, "seq", seq);
    msg_num(&b, key, value);
    spawner_answer(sp, &b);
}

static int serve_seal(struct spawner *sp, struct request *r, struct fail *f) {
    if (!r->path) return fail_set(f, "parse", EINVAL, "path is missing");
    int fd = seal_program(r->path, sp->sealed, f);
    if (fd < 0) return -1;
    sp->sealed++;
    answer_number(sp, r->seq, "fd", fd);
    return 0;
}

static void serve(struct spawner *sp, char *payload, size_t size) {
    struct request r = {0};
    struct fail f = {0};
    spec_init(&r.spec);
    r.spec.payload = payload;
    int bad = parse(&r, payload, size, &f);
    if (!bad && strcmp(r.op, "run") == 0) {
        bad = serve_run(sp, &r, &f);
    } else if (!bad && strcmp(r.op, "seal") == 0) {
        bad = serve_seal(sp, &r, &f);
    } else if (!bad) {
        pid_t pid = spawn(sp, &r, &f);
        bad = pid < 0 ? -1 : 0;
        if (!bad) answer_number(sp, r.seq, "pid", pid);
    }
    if (bad) spawner_answer_failure(sp, r.seq ? r.seq : "", &f);
    fail_clear(&f);
    spec_free(&r.spec);
}

static void on_link(struct watch *w, uint32_t events) {
    struct spawner *sp = w->owner;
    if (events & EPOLLOUT) flush(sp);
    while (!sp->quit && sp->out.len - sp->out_head < OUT_MAX) {
        enum frame_state st = frame_read(&sp->reader, LINK_FD);
        if (st == FRAME_MORE) return;
        if (st != FRAME_DONE) {
            sp->quit = true;
            return;
        }
        uint32_t size = sp->reader.size;
        serve(sp, frame_take(&sp->reader), size);
    }
}

static void on_signal(struct watch *w, uint32_t events) {
    (void)events;
    struct signalfd_siginfo info[8];
    while (read(w->fd, info, sizeof info) > 0) {
    }
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) run_reaped(w->owner, pid, status);
}

static int open_all(struct spawner *sp) {
    sigset_t chld;
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    sigprocmask(SIG_SETMASK, &chld, NULL);
    int fd = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) return errno;
    if (fcntl(LINK_FD, F_SETFL, O_RDWR | O_NONBLOCK) < 0) return errno;
    fcntl(LINK_FD, F_SETFD, FD_CLOEXEC);
    int err = loop_open(&sp->loop);
    if (err) return err;
    sp->signals = (struct watch){.fd = fd, .fn = on_signal, .owner = sp};
    sp->link = (struct watch){.fd = LINK_FD, .fn = on_link, .owner = sp};
    err = loop_watch(&sp->loop, &sp->signals, EPOLLIN);
    return err ? err : loop_watch(&sp->loop, &sp->link, EPOLLIN);
}

int spawner_main(char *title) {
    struct spawner sp = {.title = title};
    setsid();
    umask(022);
    signals_ignore();
    close_range(LINK_FD + 1, ~0U, 0);  // whatever the engine left open is not for shims to hold
    if (chdir("/") < 0 || open_all(&sp)) return 1;
    while (!sp.quit) loop_turn(&sp.loop, run_deadlines(&sp));
    frame_drop(&sp.reader);
    buf_free(&sp.out);
    loop_close(&sp.loop);
    return 0;
}
