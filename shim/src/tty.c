// Owns: receiving the pty master from the runtime, and its size. Refuses: relaying (stream.c) and terminal modes.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "shim.h"

static void set_size(struct shim *s, int fd) {
    struct winsize size = {.ws_row = (unsigned short)s->spec->rows, .ws_col = (unsigned short)s->spec->cols};
    if (size.ws_row || size.ws_col) ioctl(fd, TIOCSWINSZ, &size);
}

static void take_master(struct shim *s, int fd) {
    if (s->master >= 0) {
        close(fd);
        return;
    }
    fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
    set_size(s, fd);
    s->master = fd;
}

static void on_console(struct watch *w, uint32_t events) {
    (void)events;
    struct shim *s = w->owner;
    char name[4096];
    char room[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
    struct iovec iov = {name, sizeof name};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    ssize_t n = recvmsg(w->fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n > 0) {
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
            if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int))) continue;
            int fd;
            memcpy(&fd, CMSG_DATA(c), sizeof fd);
            take_master(s, fd);
        }
    }
    if (n <= 0 || s->master >= 0) loop_shut(&s->loop, w);
}

static void on_connect(struct watch *w, uint32_t events) {
    (void)events;
    struct shim *s = w->owner;
    int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    loop_shut(&s->loop, &s->console_conn);
    s->console_conn = (struct watch){.fd = fd, .fn = on_console, .owner = s};
    loop_watch(&s->loop, &s->console_conn, EPOLLIN);
    on_console(&s->console_conn, 0);
}

int tty_listen(struct shim *s) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const char *path = s->spec->console;
    if (strlen(path) >= sizeof at.sun_path) return fail_set(&s->fail, "console", ENAMETOOLONG, path);
    strcpy(at.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return fail_set(&s->fail, "console", errno, NULL);
    unlink(path);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 4) < 0) {
        int err = errno;
        close(fd);
        return fail_set(&s->fail, "console", err, path);
    }
    s->console_listen = (struct watch){.fd = fd, .fn = on_connect, .owner = s};
    loop_watch(&s->loop, &s->console_listen, EPOLLIN);
    return 0;
}

int tty_finish(struct shim *s) {
    if (s->master < 0) on_connect(&s->console_listen, 0);
    if (s->master < 0 && s->console_conn.fd >= 0) on_console(&s->console_conn, 0);
    loop_shut(&s->loop, &s->console_conn);
    loop_shut(&s->loop, &s->console_listen);
    unlinkat(s->dirfd, s->spec->console, 0);
    return s->master < 0 ? fail_set(&s->fail, "console", ENOTCONN, "the runtime sent no terminal") : 0;
}

int tty_resize(struct shim *s, int64_t rows, int64_t cols) {
    if (!s->spec->tty) return ENOTTY;
    s->spec->rows = rows;
    s->spec->cols = cols;
    int fd = s->master >= 0 ? s->master : s->out[0].w.fd;
    if (fd >= 0) set_size(s, fd);
    return 0;
}
