// Owns: the face of starting a program in a session of its own. Refuses: everything else.
#pragma once

// Descriptors that the shim gives to the runtime, and the runtime to the process: this program, and where to report.
enum { SESSION_PROGRAM = 3, SESSION_REPORT = 4 };

// Becomes the program argv[0], after `--size ROWSxCOLUMNS --` where these come first, (searched in PATH), in a new session. Reports a failure's errno, as an int, on SESSION_REPORT;
// that the descriptor closes without a word means success.
_Noreturn void session_main(char **argv);
