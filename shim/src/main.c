// Owns: choosing the program's face by its first argument. Refuses: everything else.
#include <string.h>
#include <unistd.h>

#include "init.h"
#include "session.h"
#include "spawner.h"

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "spawner") == 0) return spawner_main(argv[1]);
    char **cmd = argc >= 3 ? argv + 2 : NULL;
    if (cmd && strcmp(*cmd, "--") == 0) cmd++;
    if (cmd && *cmd && strcmp(argv[1], "init") == 0) return init_main(cmd);
    if (cmd && *cmd && strcmp(argv[1], "session") == 0) session_main(cmd);
    static const char usage[] = "usage: gantry-shim spawner | gantry-shim init|session -- CMD [ARG...]\n";
    return write(2, usage, sizeof usage - 1) < 0 ? 3 : 2;
}
