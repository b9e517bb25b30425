// A store that is filled lies on a disk of its own below the user's folder; logs do not, so that they tell of it.
#include "supervisor/simulate/machine.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "supervisor/simulate/clock.h"
#include "supervisor/simulate/disk.h"

static char *path_of(const char *dir, const char *suffix)
{
    struct buf path = {0};
    buf_printf(&path, "%s%s", dir, suffix);
    char *text = mem_text(buf_span(&path));
    buf_free(&path);
    return text;
}

static char *store_of(const struct user *u, enum scenario_process node)
{
    return path_of(u->dir, node == PROCESS_ARCHIVE ? "/archive" : "/sparse");
}

enum status machine_prepare(struct world *w, struct error *e)
{
    w->disks = scenario_does(w->scenario, ACT_FILL);
    if (scenario_does(w->scenario, ACT_SHIFT)) {
        w->clock_library = path_of(w->dir, "/clock.so");
        clock_install(w->clock_library, e);
    }
    return w->disks && e->status == STATUS_OK ? disk_private_mounts(e) : e->status;
}

static enum status put_clock(const struct user *u, struct error *e)
{
    char *file = path_of(u->dir, ".clock");
    clock_put(file, u->shift_s, e);
    free(file);
    return e->status;
}

enum status machine_give(struct user *u, struct error *e)
{
    if (u->world->clock_library != NULL)
        put_clock(u, e);
    if (u->world->disks && mkdir(u->dir, 0700) != 0)
        error_errno(e, "cannot make %s", u->dir);
    for (int node = PROCESS_ARCHIVE; u->world->disks && node <= PROCESS_SPARSE && e->status == STATUS_OK; node++) {
        char *store = store_of(u, (enum scenario_process)node);
        disk_mount(store, e);
        free(store);
    }
    return e->status;
}

void machine_clear(struct world *w)
{
    for (size_t i = 0; w->disks && w->users != NULL && i < w->scenario->user_count; i++)
        for (int node = PROCESS_ARCHIVE; w->users[i].dir != NULL && node <= PROCESS_SPARSE; node++) {
            char *store = store_of(&w->users[i], (enum scenario_process)node);
            disk_unmount(store);
            free(store);
        }
    free(w->clock_library);
    w->clock_library = NULL;
}

void machine_fill(const struct user *u, enum scenario_process node)
{
    char *store = store_of(u, node);
    disk_fill(store);
    free(store);
}

void machine_empty(const struct user *u, enum scenario_process node)
{
    char *store = store_of(u, node);
    disk_empty(store);
    free(store);
}

void machine_shift(struct user *u, int64_t seconds)
{
    struct error e = {0};
    u->shift_s += seconds;
    if (u->archive_pid > 0 && !clock_is_shifted(u->archive_pid, u->world->clock_library))
        world_fail(u->world, NULL, "the clocks of %s cannot be shifted: this system does not let us preload", u->name);
    else if (put_clock(u, &e) != STATUS_OK)
        world_fail(u->world, &e, "%s", u->name);
}
