// Owns: vfork + exec. Refuses: touching anything but system calls between the two.
#define _GNU_SOURCE
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGALRM, SIGUSR1,
                              SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU, SIGXFSZ, SIGXCPU};

static void signals_set(void (*handler)(int)) {
    struct sigaction sa = {.sa_handler = handler};
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) sigaction(ignored[i], &sa, NULL);
}

void signals_ignore(void) { signals_set(SIG_IGN); }

static void reset_oom_score(void) {
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    if (write(fd, "0", 1) < 0) {
        // Raising it is always allowed; without /proc there is nothing to raise.
    }
    close(fd);
}

int launch_exec(const struct launch *what) {
    const int from[3] = {what->in, what->out, what->err};
    if (what->own_group) setpgid(0, 0);
    for (int i = 0; i < 3; i++) {
        if (from[i] >= 0 && dup2(from[i], i) < 0) return errno;
    }
    for (int i = 0; what->more && i < 2; i++) {
        if (dup2(what->more[i], 3 + i) < 0) return errno;
    }
    if (what->reset_oom_score) reset_oom_score();
    signals_set(SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(what->argv[0], what->argv);
    return errno;
}

// Kept apart so that the frame vfork returns into twice holds nothing that could be clobbered.
static __attribute__((noinline)) pid_t vfork_exec(const struct launch *what, volatile int *err) {
    pid_t pid = vfork();
    if (pid == 0) {
        *err = launch_exec(what);
        _exit(127);
    }
    return pid;
}

pid_t launch(const struct launch *what) {
    volatile int err = 0;
    pid_t pid = vfork_exec(what, &err);
    if (pid > 0 && err) {
        // The child is a zombie with code 127: SIGCHLD's reaper must not take it for a program that ran.
        waitpid(pid, NULL, 0);
        errno = err;
        return -1;
    }
    return pid;
}
