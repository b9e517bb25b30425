#include "ipc/child.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/dumps.h"
#include "base/inherited.h"

static bool parse_pid(const char *text, pid_t *out)
{
    char *end;
    long n = strtol(text, &end, 10);
    *out = (pid_t)n;
    return *text != '\0' && *end == '\0' && n > 0 && n <= INT32_MAX;
}

enum status ipc_child_parse(int argc, char **argv, struct ipc_child *out, struct error *e)
{
    static const struct option options[] = {
        {"dir", required_argument, NULL, 'd'},     {"channel", required_argument, NULL, 'c'},
        {"parent", required_argument, NULL, 'p'},  {"log-level", required_argument, NULL, 'l'},
        {"ca-file", required_argument, NULL, 'a'}, {0}};
    *out = (struct ipc_child){.log_level = LOG_INFO};
    bool good = true;
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (o == 'd')
            out->dir = optarg;
        else if (o == 'c')
            out->channel = optarg;
        else if (o == 'a')
            out->ca_file = optarg;
        else if (o == 'p')
            good = parse_pid(optarg, &out->parent) && good;
        else
            good = o == 'l' && log_level_parse(optarg, &out->log_level) && good;
    }
    if (!good || out->dir == NULL || out->channel == NULL || out->parent == 0 || optind != argc)
        return error_set(e, STATUS_INVALID, "USAGE",
                         "%s is started by tandem-supervisor: --dir DIR --channel SOCKET --parent PID", argv[0]);
    return STATUS_OK;
}

enum status ipc_child_guard(pid_t parent, struct error *e)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || !dumps_forbid())
        return error_errno(e, "cannot protect the process");
    if (getppid() != parent)
        return error_set(e, STATUS_CLOSED, "NOT-RUNNING", "the supervisor (pid %d) is gone", (int)parent);
    closefrom(STDERR_FILENO + 1);
    inherited_settle();
    signal(SIGPIPE, SIG_IGN);
    return STATUS_OK;
}
