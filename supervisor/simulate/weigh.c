// What belongs to a process alone (RssAnon, RssShmem); what they share, their programs and libraries, counts once.
#include "supervisor/simulate/weigh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/file.h"

enum { STATUS_FILE_MAX = 16 * 1024, KB = 1024 };

struct weight {
    int64_t own, shared;
};

static int64_t field(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at != NULL ? strtoll(at + strlen(name), NULL, 10) * KB : 0;
}

static struct weight weigh(pid_t pid)
{
    char path[40];
    struct buf text = {0};
    struct error ignored = {0};
    struct weight out = {0};
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    if (pid > 0 && file_read(path, STATUS_FILE_MAX, &text, &ignored) == STATUS_OK) {
        const char *t = buf_cstr(&text);
        out = (struct weight){field(t, "RssAnon:") + field(t, "RssShmem:"), field(t, "RssFile:")};
    }
    buf_free(&text);
    return out;
}

void weigh_tick(struct world *w)
{
    int64_t sum = 0;
    int64_t shared = 0;
    for (size_t i = 0; i < w->scenario->user_count; i++) {
        const struct user *u = &w->users[i];
        const pid_t pids[] = {u->supervisor != NULL ? launch_pid(u->supervisor) : 0, u->archive_pid, u->sparse_pid};
        for (size_t k = 0; k < sizeof pids / sizeof *pids; k++) {
            struct weight one = weigh(pids[k]);
            sum += one.own;
            shared = one.shared > shared ? one.shared : shared;
            if (k > 0 && one.own > w->node_memory)
                w->node_memory = one.own;
        }
    }
    if (sum + shared > w->memory)
        w->memory = sum + shared;
}
