// Owns: starting a program from this process, fast and with clean signals. Refuses: shells; waiting for it.
#pragma once
#include <stdbool.h>
#include <sys/types.h>

struct launch {
    char *const *argv;
    int in, out, err;  // -1: inherit (the shim's own are /dev/null)
    const int *more;  // two further descriptors, which become 3 and 4; NULL: none
    bool own_group;  // its own process group, so that all of it can be killed
    bool reset_oom_score;
};

// The pid, or -1 with errno of the exec. No memory is copied (vfork).
pid_t launch(const struct launch *what);

// For a child that was forked: sets stdio, restores signals, execs. Returns only on failure, with an errno.
int launch_exec(const struct launch *what);

// Signals that a long-lived part of ours ignores, and that a launched program gets back.
void signals_ignore(void);
