// Owns: the preparation steps a shim or a command runs under. Refuses: undoing them (the namespace's end does).
#pragma once
#include "fail.h"
#include "spec.h"

// Runs the steps in order in this process; each text is cut in place. 0, or -1 with stage step:<verb>.
int steps_run(const struct strv *steps, struct fail *f);
