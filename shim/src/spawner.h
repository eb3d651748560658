// Owns: the face of the spawner and of the short commands it runs. Refuses: knowing what becomes of its shims.
#pragma once
#include <stdint.h>

#include "fail.h"
#include "frame.h"
#include "loop.h"
#include "spec.h"

struct run;

struct spawner {
    struct loop loop;
    struct watch link, signals;
    struct frame_reader reader;
    struct buf out;  // answers the engine has not taken yet
    size_t out_head;
    struct run *runs;
    int sealed;  // how many programs are sealed
    char *title;  // this process's argv[1], "spawner": a shim's says "shim" to ps
    bool quit;
};

// Serves the engine on fd 3 until its end; the process's exit code.
int spawner_main(char *title);
// Sends an answer (consumes b).
void spawner_answer(struct spawner *sp, struct buf *b);
void spawner_answer_failure(struct spawner *sp, const char *seq, const struct fail *f);

// run.c: starts a command; its answer follows by itself. Takes over spec (steps and args) on success. 0 or -1.
int run_start(struct spawner *sp, const char *seq, struct spec *spec, int64_t timeout_ms, struct fail *f);
// True when pid belongs to a command.
bool run_reaped(struct spawner *sp, int pid, int status);
// Kills what is overdue; milliseconds until the next deadline, -1 for none.
int run_deadlines(struct spawner *sp);
