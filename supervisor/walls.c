// The walls of the supervisor. Its nodes inherit them, so everything that a node reads when it starts is within.
#include <stdlib.h>
#include <string.h>

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
    enum status st = wall_enter(WALL_SUPERVISOR, p.list, p.count, e);
    arena_destroy(p.texts);
    return st;
}
