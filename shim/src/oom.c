// Owns: noticing while the process lives that the kernel killed for memory in its cgroup. Refuses: saying whom it killed.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "shim.h"

enum { PAUSE_MS = 50 };  // what comes closer together is told at once: a storm must not fill the control connections

// Version 1 counts in an eventfd that its control file was given.
static int open_v1(const char *file) {
    static const char control[] = "cgroup.event_control";
    const char *slash = strrchr(file, '/');
    size_t dir = slash ? (size_t)(slash - file) + 1 : 0;
    char *path = malloc(dir + sizeof control);
    if (!path) return -1;
    memcpy(path, file, dir);
    memcpy(path + dir, control, sizeof control);
    int cfd = open(path, O_WRONLY | O_CLOEXEC);
    free(path);
    if (cfd < 0) return -1;
    int ofd = open(file, O_RDONLY | O_CLOEXEC), efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    char text[64];
    size_t n = format_num(text, efd);
    text[n++] = ' ';
    n += format_num(text + n, ofd);
    bool ok = ofd >= 0 && efd >= 0 && write(cfd, text, n) == (ssize_t)n;
    if (ofd >= 0) close(ofd);
    close(cfd);
    if (ok) return efd;
    if (efd >= 0) close(efd);
    return -1;
}

// Version 2 modifies the file.
static int open_v2(const char *file) {
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd >= 0 && inotify_add_watch(fd, file, IN_MODIFY) >= 0) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

static void look(struct shim *s) {
    int64_t before = s->oom_kills;
    if (s->oom_counts) {
        uint64_t more = 0;
        if (read(s->oom.fd, &more, sizeof more) == sizeof more) s->oom_kills += (int64_t)more;
    } else {
        char events[4096];
        while (s->oom.fd >= 0 && read(s->oom.fd, events, sizeof events) > 0) {
        }
        int64_t now = record_oom(s->spec->oom_file);
        if (now > before) s->oom_kills = now;
    }
    if (s->oom_kills != before) control_oom(s);
}

static void on_kill(struct watch *w, uint32_t events) {
    (void)events;
    struct shim *s = w->owner;
    look(s);
    loop_unwatch(&s->loop, w);
    s->oom_at = now_mono_ms() + PAUSE_MS;
}

void oom_again(struct shim *s) {
    s->oom_at = 0;
    loop_watch(&s->loop, &s->oom, EPOLLIN);
}

void oom_begin(struct shim *s) {
    if (!s->spec->oom_file) return;
    int fd = open_v1(s->spec->oom_file);
    s->oom_counts = fd >= 0;
    if (fd < 0) fd = open_v2(s->spec->oom_file);
    s->oom = (struct watch){.fd = fd, .fn = on_kill, .owner = s};
    // What was killed before the watch stood.
    if (!s->oom_counts) look(s);
    if (fd >= 0) loop_watch(&s->loop, &s->oom, EPOLLIN);
}

void oom_end(struct shim *s) {
    if (!s->spec->oom_file) return;
    look(s);
    loop_shut(&s->loop, &s->oom);
    s->oom_counts = false;
    s->oom_at = 0;
    if (!s->oom_kills) look(s);
}
