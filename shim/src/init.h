// Owns: the face of the init process for containers. Refuses: options.
#pragma once

// Runs argv as the one child, forwards signals to it, reaps everything; the exit status to end with.
int init_main(char **argv);
