// Owns: choosing the program's face by its first argument. Refuses: everything else.
#include <string.h>
#include <unistd.h>

#include "init.h"
#include "spawner.h"

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "spawner") == 0) return spawner_main(argv[1]);
    if (argc >= 3 && strcmp(argv[1], "init") == 0) {
        char **cmd = argv + 2;
        if (strcmp(*cmd, "--") == 0) cmd++;
        if (*cmd) return init_main(cmd);
    }
    static const char usage[] = "usage: gantry-shim spawner | gantry-shim init -- CMD [ARG...]\n";
    return write(2, usage, sizeof usage - 1) < 0 ? 3 : 2;
}
