// Owns: the one struct of a running shim and the faces its parts show each other. Refuses: state outside struct shim.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "fail.h"
#include "frame.h"
#include "log.h"
#include "loop.h"
#include "spec.h"

enum {
    IO_CHUNK = 64 * 1024,  // the largest read of a process's output
    IO_CHUNK_MIN = 4096,
    HOLD_AT = 1024 * 1024,  // unsent output of one attacher that holds back the process
    RESUME_AT = HOLD_AT / 2,
    CONTROL_QUEUE_MAX = 256 * 1024,
    TRIM_AFTER_MS = 1000,
    ACCEPT_AGAIN_MS = 100,  // after running out of descriptors
};

enum state { READY, STARTING, RUNNING, DRAINING, EXITED, FAILED, ABANDONED };

struct shim;
struct conn;

// What a connection is for, as its first frame says. conn.c moves its bytes and knows nothing else of it.
struct conn_role {
    const char *op;  // the first field of its first frame
    void (*begin)(struct conn *c, char *payload, size_t size);
    void (*readable)(struct conn *c, uint32_t events);
    bool (*may_read)(const struct conn *c);
    void (*sent)(struct shim *s);  // its queue became shorter, or is gone
    size_t queue_max;  // more unsent bytes end it; 0: no limit here
    bool keeps_input;  // what the client sent is still taken when it receives no more
};

// Bytes on their way out of a connection.
struct queue {
    char *data;
    size_t head, len, cap;
};

struct conn {
    struct watch w;
    struct shim *s;
    struct conn *next, *prev;
    const struct conn_role *role;  // NULL: its first frame has not come
    struct frame_reader reader;
    struct queue out;
    bool want_stdin, want[2];  // attach: takes part in stdin; wants stdout, stderr
    bool in_open;  // the client may still send
    bool out_open;  // the client may still receive
    bool ending;  // to be closed once the queue is empty
    bool first_stdin;  // the attacher whose end closes a stdin-once process's stdin
};

struct stream {
    struct watch w;
    struct shim *s;
    int index;  // 0 stdout, 1 stderr
    bool open, held;
};

struct input {
    struct watch w;  // fd -1: closed or none
    char *pending;
    size_t head, len;
    bool closing;  // close once pending is written
};

struct shim {
    struct loop loop;
    struct spec *spec;
    enum state state;
    int dirfd;
    bool quit;
    struct watch listen, signals;
    struct watch session;  // the process's report that it is what it shall be; fd -1: not waited for
    struct watch console_listen, console_conn;
    struct watch oom;  // fd -1: none
    int master;  // the pty, until the streams take it
    int child_fd[3];  // the runtime's ends, until it was launched
    pid_t runtime, process, cleanup, compressor;
    struct stream out[2];
    struct input in;
    bool stdin_claimed;
    struct log log;
    struct conn *conns;
    const struct conn_role *const *roles;  // ends with NULL
    char *io;  // IO_CHUNK bytes while in use
    int64_t started_at, exited_at;
    int code;
    bool oom_counts;  // the watched descriptor is a counter
    int64_t oom_kills;
    struct fail fail;
    int64_t drain_at, linger_at, trim_at, accept_at, oom_at;  // monotonic ms, 0 = unset
};

// shim.c: the life of a shim. Never returns. Takes over listen_fd and dir_fd.
_Noreturn void shim_main(struct spec *spec, int listen_fd, int dir_fd);
void shim_fail(struct shim *s);  // s->fail is set
void shim_exited(struct shim *s);  // the process is gone and its output is drained
void shim_abandon(struct shim *s);
char *shim_io(struct shim *s);  // the shared chunk, NULL when out of memory
void shim_complain(void *owner, const char *what, int err);

// process.c: the runtime, the process, and other children.
int process_start(struct shim *s);  // 0, or -1 with s->fail
void process_reap(struct shim *s);
int process_signal(struct shim *s, int sig);  // 0 or an errno
void process_stop_runtime(struct shim *s);
void process_close_session(struct shim *s);
void process_cleanup(struct shim *s);
void process_compress(struct shim *s);

// stream.c: the process's stdio.
void stream_init(struct shim *s);  // nothing is open
int stream_prepare(struct shim *s);  // 0, or -1 with s->fail
void stream_begin(struct shim *s);  // the state is RUNNING: output may be read
void stream_update(struct shim *s);  // holds back or lets go, as attachers and log demand
void stream_rescue(struct shim *s);  // takes what the pipes hold now, whoever holds it back
void stream_close(struct shim *s);
bool stream_ended(const struct shim *s);
bool input_ready(const struct shim *s);  // more stdin may be offered (or thrown away)
void input_write(struct shim *s, const char *data, size_t n);
void input_close(struct shim *s);  // after what is pending

// tty.c: the pty of a tty process.
int tty_listen(struct shim *s);
int tty_finish(struct shim *s);  // the runtime exited: the pty must be here now
int tty_resize(struct shim *s, int64_t rows, int64_t cols);  // 0 or an errno

// conn.c: connections on the shim's socket.
void conn_listen(struct shim *s, int fd);
void conn_accept_all(struct shim *s);
void conn_send(struct conn *c, const struct iovec *iov, int n);  // may free c
void conn_update(struct conn *c);
void conn_update_all(struct shim *s);
void conn_end(struct conn *c);  // closes once all is sent; may free c
void conn_free(struct conn *c);

// control.c
extern const struct conn_role control_role;
void control_broadcast(struct shim *s);  // the state, to all control connections
void control_oom(struct shim *s);  // the number of kills for memory, likewise

// attach.c
extern const struct conn_role attach_role;
void attach_output(struct shim *s, int index, const char *data, size_t n);
void attach_end_all(struct shim *s);

// record.c: the files in dir.
void record_pid(struct shim *s);
void record_reserve(struct shim *s);  // takes the exit record's room on disk while there is some
void record_exit(struct shim *s);
void record_failure(struct shim *s);
int record_read_pid(struct shim *s, pid_t *pid);  // 0 or an errno
bool record_descends(pid_t pid);  // from this process, as /proc tells
char *record_tail(struct shim *s, const char *path, size_t *len);  // last FAIL_TEXT_MAX bytes on the heap, or NULL
int64_t record_oom(const char *path);  // the number behind oom_kill, 0 when unknown
int64_t parse_oom(const char *text);

// oom.c: kills for memory while the process lives.
void oom_begin(struct shim *s);
void oom_again(struct shim *s);  // watches on after a pause
void oom_end(struct shim *s);  // the process has ended: the last count
