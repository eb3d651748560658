// Owns: being PID 1 of a container: start, forward, reap, report. Refuses: restarting anything; descriptors of its own.
#define _GNU_SOURCE
#include "init.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "frame.h"

// What the kernel sends for a fault of our own must not be forwarded.
static const int own[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS};

static void tty_signals(void (*handler)(int)) {
    struct sigaction sa = {.sa_handler = handler};
    sigaction(SIGTTIN, &sa, NULL);
    sigaction(SIGTTOU, &sa, NULL);
}

static void say(const char *name, int err) {
    char line[512] = "[FATAL gantry-init (", number[24];
    format_num(number, getpid());
    const char *parts[] = {number, ")] exec ", name, " failed: ", strerrordesc_np(err), "\n"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i]) strncat(line, parts[i], sizeof line - strlen(line) - 2);
    }
    if (write(2, line, strlen(line)) < 0) {
        // There is nobody else to tell.
    }
}

static _Noreturn void be_child(char **argv, const sigset_t *mask) {
    setpgid(0, 0);
    tcsetpgrp(0, getpgrp());  // fails where stdin is no terminal: then there is nothing to hand over
    tty_signals(SIG_DFL);
    sigprocmask(SIG_SETMASK, mask, NULL);
    execvp(argv[0], argv);
    int err = errno;
    say(argv[0], err);
    _exit(err == ENOENT ? 127 : 126);
}

// Reaps all that ended; the child's exit status once it is among them, else -1.
static int reap(pid_t child) {
    int status, code = -1;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == child) code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    return code;
}

int init_main(char **argv) {
    sigset_t all, before;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) sigdelset(&all, own[i]);
    sigprocmask(SIG_BLOCK, &all, &before);
    tty_signals(SIG_IGN);
    if (getpid() != 1) prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t child = fork();
    if (child == 0) be_child(argv, &before);
    if (child < 0) {
        say(argv[0], errno);
        return 126;
    }
    for (;;) {
        siginfo_t info;
        int sig = sigwaitinfo(&all, &info);
        if (sig == SIGCHLD) {
            int code = reap(child);
            if (code >= 0) return code;
        } else if (sig > 0) {
            kill(child, sig);
        }
    }
}
