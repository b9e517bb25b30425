// Preloaded into the programs, it tries from inside what somebody would who got into them: signal SIGRTMIN + 1 + N
// makes the main thread do the Nth attempt and write "INTRUDER NAME ERRNO" to standard error. INTRUDER_WORLD says
// against whom: HOME FILE SOCKET PORT PID.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/wall/attempts.h"

static const struct {
    const char *name;
    attempt try;
} attempts[] = {
    {"read", read_outside},   {"write", write_outside}, {"create", create_outside},     {"truncate", truncate_outside},
    {"chmod", make_public},   {"unix", connect_unix},   {"abstract", connect_abstract}, {"tcp", connect_tcp},
    {"listen", listen_tcp},   {"fork", fork_process},   {"exec", run_program},          {"kill", kill_victim},
    {"ptrace", trace_victim},
};
enum { ATTEMPTS = sizeof attempts / sizeof *attempts };

static void told(int number)
{
    int i = number - SIGRTMIN - 1;
    dprintf(STDERR_FILENO, "INTRUDER %s %d\n", attempts[i].name, attempts[i].try());
}

__attribute__((constructor)) static void begin(void)
{
    static char home[128], file[128], path[128];
    const char *text = getenv("INTRUDER_WORLD");
    struct sigaction action = {.sa_handler = told, .sa_flags = SA_RESTART};
    if (text == NULL || sscanf(text, "%127s %127s %127s %d %d", home, file, path, &world.port, &world.victim) != 5)
        return;
    world.home = home;
    world.file = file;
    world.socket = path;
    for (int i = 0; i < ATTEMPTS; i++)
        sigaction(SIGRTMIN + 1 + i, &action, NULL);
}
