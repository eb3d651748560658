// Owns: the event loop: what is watched, and when memory of a finished watch may go. Refuses: timers (callers compute deadlines).
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct watch;
typedef void watch_fn(struct watch *w, uint32_t events);

struct watch {
    int fd;
    uint32_t events;
    bool on;
    watch_fn *fn;
    void *owner;
};

struct loop {
    int epfd;
    void **dead;  // freed after the batch of events that may still name them
    int dead_n, dead_cap;
};

int loop_open(struct loop *l);  // 0 or an errno
void loop_close(struct loop *l);
// Watches w->fd for the events (0: only for hang-up and error). 0 or an errno.
int loop_watch(struct loop *l, struct watch *w, uint32_t events);
void loop_unwatch(struct loop *l, struct watch *w);
// Unwatches and closes.
void loop_shut(struct loop *l, struct watch *w);
// Frees memory that holds a watch, once no pending event can name it.
void loop_free_later(struct loop *l, void *memory);
// Waits up to timeout_ms (-1: for ever), calls the watches' functions, then frees the dead.
void loop_turn(struct loop *l, int timeout_ms);

int64_t now_mono_ms(void);
int64_t now_unix_ns(void);
