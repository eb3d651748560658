// Owns: epoll and the two clocks. Refuses: calling a watch that was taken off within the same batch.
#define _GNU_SOURCE
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 16 };

int loop_open(struct loop *l) {
    *l = (struct loop){0};
    l->epfd = epoll_create1(EPOLL_CLOEXEC);
    return l->epfd < 0 ? errno : 0;
}

void loop_close(struct loop *l) {
    for (int i = 0; i < l->dead_n; i++) free(l->dead[i]);
    free(l->dead);
    if (l->epfd >= 0) close(l->epfd);
    *l = (struct loop){.epfd = -1};
}

int loop_watch(struct loop *l, struct watch *w, uint32_t events) {
    if (w->on && w->events == events) return 0;
    struct epoll_event ev = {.events = events, .data.ptr = w};
    if (epoll_ctl(l->epfd, w->on ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, w->fd, &ev) < 0) return errno;
    w->on = true;
    w->events = events;
    return 0;
}

void loop_unwatch(struct loop *l, struct watch *w) {
    if (w->on) epoll_ctl(l->epfd, EPOLL_CTL_DEL, w->fd, NULL);
    w->on = false;
    w->events = 0;
}

void loop_shut(struct loop *l, struct watch *w) {
    loop_unwatch(l, w);
    if (w->fd >= 0) close(w->fd);
    w->fd = -1;
}

void loop_free_later(struct loop *l, void *memory) {
    if (l->dead_n == l->dead_cap) {
        int cap = l->dead_cap ? l->dead_cap * 2 : 8;
        void **dead = realloc(l->dead, (size_t)cap * sizeof *dead);
        if (!dead) return;  // a leak of one connection is the lesser harm
        l->dead = dead;
        l->dead_cap = cap;
    }
    l->dead[l->dead_n++] = memory;
}

void loop_turn(struct loop *l, int timeout_ms) {
    struct epoll_event batch[BATCH];
    int n = epoll_wait(l->epfd, batch, BATCH, timeout_ms);
    for (int i = 0; i < n; i++) {
        struct watch *w = batch[i].data.ptr;
        if (w->on) w->fn(w, batch[i].events);
    }
    while (l->dead_n) free(l->dead[--l->dead_n]);
}

int64_t now_mono_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t now_unix_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
