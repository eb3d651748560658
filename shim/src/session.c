// Owns: starting a program in a session of its own, inside a container, where the runtime has left it without. Refuses: shells.
//
// crun makes the session before it enters the container's pid namespace: its leader is outside, and inside its id reads 0.
#define _GNU_SOURCE
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

// A folder may be entered by those who may execute it: execve says no more than that it is not allowed.
static int exec_at(const char *path, char **argv) {
    execve(path, argv, environ);
    int err = errno;
    struct stat st;
    if (err == EACCES && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return EISDIR;
    return err;
}

// As execvp, but for its /bin/sh where a file is no program.
static int exec_search(char **argv) {
    const char *name = argv[0], *from = getenv("PATH");
    if (!*name) return ENOENT;
    if (strchr(name, '/')) return exec_at(name, argv);
    int found = ENOENT;
    while (from) {
        const char *end = strchrnul(from, ':');
        size_t len = (size_t)(end - from);
        char path[PATH_MAX];
        if (len + strlen(name) + 2 <= sizeof path) {
            memcpy(path, from, len);
            path[len] = '/';
            strcpy(path + (len ? len + 1 : 0), name);
            int err = exec_at(path, argv);
            if (err == EACCES || err == EISDIR) found = EACCES;
            else if (err != ENOENT && err != ENOTDIR) return err;
        }
        from = *end ? end + 1 : NULL;
    }
    return found;
}

// The terminal has its size before the program looks: the shim sets it as it receives the pty, which can be later.
static void set_size(const char *size) {
    char *end;
    struct winsize w = {.ws_row = (unsigned short)strtoul(size, &end, 10)};
    if (*end == 'x') w.ws_col = (unsigned short)strtoul(end + 1, NULL, 10);
    if (w.ws_row && w.ws_col) ioctl(STDIN_FILENO, TIOCSWINSZ, &w);
}

_Noreturn void session_main(char **argv) {
    if (strcmp(argv[0], "--size") == 0 && argv[1] && argv[2] && strcmp(argv[2], "--") == 0 && argv[3]) {
        set_size(argv[1]);
        argv += 3;
    }
    fcntl(SESSION_PROGRAM, F_SETFD, FD_CLOEXEC);
    fcntl(SESSION_REPORT, F_SETFD, FD_CLOEXEC);
    setsid();  // fails for who leads one already: then there is nothing to do
    int err = exec_search(argv);
    if (write(SESSION_REPORT, &err, sizeof err) < 0) {
        // Nobody listens: the exit code has to do.
    }
    _exit(err == ENOENT ? 127 : 126);
}
