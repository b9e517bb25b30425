// The walls of the supervisor. Its nodes inherit them, so everything that a node reads when it starts is within.
//
// A right to execute is one to a file and not to its name. An update puts another file in its place, which would be out
// of reach, so the programs are held open: nodes start again as what they were until the supervisor is started again.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "supervisor/core.h"
#include "wall/wall.h"

enum { PLACES_MAX = 12 };

struct places {
    struct wall_place list[PLACES_MAX];
    size_t count;
    struct arena *texts;
};

static void add(struct places *p, enum wall_use use, const char *path)
{
    p->list[p->count++] = (struct wall_place){use, path};
}

// The folder and not the file: editors put another file in its place.
static void add_folder_of(struct places *p, enum wall_use use, const char *path)
{
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    if (slash != NULL)
        add(p, use, arena_printf(p->texts, "%.*s/", (int)(slash - path), path).ptr);
    else if (path != NULL && path[0] != '\0')
        add(p, use, ".");
}

// In DIR/run, or elsewhere where that path would be too long; then the folder is removed at the end.
static void add_sockets(struct places *p, struct supervisor *s)
{
    const char *sockets = statedir_socket(s->dir, "");
    const char *own = statedir_path(s->dir);
    if (strncmp(sockets, own, strlen(own)) == 0)
        return;
    const char *folder = arena_printf(p->texts, "%.*s", (int)(strlen(sockets) - 1), sockets).ptr;
    add(p, WALL_KEEP, folder);
    add_folder_of(p, WALL_LEAVE, folder);
}

enum status walls_enter(struct supervisor *s, struct error *e)
{
    const struct supervisor_options *o = s->options;
    struct places p = {.texts = arena_create()};
    add(&p, WALL_KEEP, statedir_path(s->dir));
    add_sockets(&p, s);
    add_folder_of(&p, WALL_READ, o->config_file);
    add_folder_of(&p, WALL_READ, config_text(o->config, "tls.ca_file"));
    add_folder_of(&p, WALL_READ, getenv("LD_PRELOAD")); // what its nodes are told to load as well
    add(&p, WALL_RUN, o->archive_binary);
    add(&p, WALL_RUN, o->sparse_binary);
    add(&p, WALL_RUN, o->discovery_binary);
    enum status st = wall_enter(WALL_SUPERVISOR, p.list, p.count, e);
    arena_destroy(p.texts);
    return st;
}

const char *walls_hold_program(struct held_program *held, const char *binary)
{
    held->fd = wall_state()->landlock != 0 ? open(binary, O_PATH | O_CLOEXEC) : -1;
    if (held->fd < 0)
        return binary; // starting it says what is wrong
    snprintf(held->path, sizeof held->path, "/proc/self/fd/%d", held->fd);
    return access(held->path, X_OK) == 0 ? held->path : binary; // /proc may be missing
}

static void release(const struct held_program *held)
{
    if (held->path[0] != '\0')
        close(held->fd);
}

void walls_release_programs(struct supervisor *s)
{
    for (int i = 0; i < NODES; i++)
        release(&s->programs[i]);
    release(&s->discovery_program);
}

void walls_check_reach(const struct supervisor *s)
{
    const char *file = config_text(s->options->config, "tls.ca_file");
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    else if (errno == EACCES)
        LOG(LOG_WARN, "config.out-of-reach", LOG_TEXT("file", file),
            LOG_TEXT("help", "start the supervisor again: its walls stand where this file was not named yet"));
}
