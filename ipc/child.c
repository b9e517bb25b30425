// Only the supervisor gives these options, so whatever is wrong with them is told in one sentence.
#include "ipc/child.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/dumps.h"
#include "base/inherited.h"
#include "base/options.h"

static bool parse_pid(const char *text, pid_t *out)
{
    char *end;
    long n = strtol(text, &end, 10);
    *out = (pid_t)n;
    return *text != '\0' && *end == '\0' && n > 0 && n <= INT32_MAX;
}

enum status ipc_child_parse(int argc, char **argv, struct ipc_child *out, struct error *e)
{
    const char *parent = "";
    const char *level = "info";
    const struct option_row rows[] = {{"dir", OPTION_TEXT, &out->dir},
                                      {"channel", OPTION_TEXT, &out->channel},
                                      {"parent", OPTION_TEXT, &parent},
                                      {"log-level", OPTION_TEXT, &level},
                                      {"ca-file", OPTION_TEXT, &out->ca_file},
                                      {"files", OPTION_TEXT, &out->files},
                                      {0}};
    *out = (struct ipc_child){0};
    bool good = options_read(argc, argv, rows, NULL) == STATUS_OK && parse_pid(parent, &out->parent) &&
                log_level_parse(level, &out->log_level);
    if (!good || out->dir == NULL || out->channel == NULL)
        return error_set(e, STATUS_INVALID, "USAGE",
                         "%s is started by tandem-supervisor: --dir DIR --channel SOCKET --parent PID", argv[0]);
    if (out->files != NULL && out->files[0] == '\0')
        out->files = NULL;
    return STATUS_OK;
}

enum status ipc_child_guard(const struct ipc_child *child, struct error *e)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || !dumps_forbid())
        return error_errno(e, "cannot protect the process");
    if (getppid() != child->parent)
        return error_set(e, STATUS_CLOSED, "NOT-RUNNING", "the supervisor (pid %d) is gone", (int)child->parent);
    closefrom(child->files != NULL ? IPC_CHILD_FILES_FD + 1 : STDERR_FILENO + 1);
    inherited_settle();
    signal(SIGPIPE, SIG_IGN);
    return STATUS_OK;
}
