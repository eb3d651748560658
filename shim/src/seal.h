// Owns: the face of sealed copies of programs. Refuses: running them.
#pragma once
#include "fail.h"

// Sealed programs hold these descriptors, in the spawner and in every shim: /proc/self/fd/<n> names one in any of them.
enum { SEAL_FIRST = 100, SEAL_MOST = 8 };

// Copies the program at path into the slot; its descriptor, or -1.
int seal_program(const char *path, int slot, struct fail *f);
