// doctor and config show: what can be said about an installation without a supervisor.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/bytes.h"
#include "io/file.h"
#include "io/folder.h"
#include "supervisor/config.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/output.h"
#include "supervisor/installation.h"
#include "supervisor/keyfile.h"
#include "supervisor/programs.h"
#include "supervisor/statedir.h"

enum { SMALL_FILE = 64 * 1024, SPACE_WANTED = 256 * 1024 * 1024, LOCKED_WANTED = 64 * 1024 };

struct report {
    json_t *checks;
    bool healthy;
};

static void add(struct report *r, const char *check, bool ok, const char *message, const char *advice)
{
    json_array_append_new(r->checks, json_pack("{s:s, s:b, s:s, s:s?}", "check", check, "ok", ok, "message", message,
                                               "advice", ok ? NULL : advice));
    r->healthy = r->healthy && ok;
}

static void add_error(struct report *r, const char *check, const struct error *e, const char *good)
{
    bool ok = e->status == STATUS_OK;
    add(r, check, ok, ok ? good : e->message, ok ? NULL : ipc_code_find(e->code, e->status)->hint);
}

static char *path_of(const struct ctl *c, const char *name)
{
    struct buf b = {0};
    buf_printf(&b, "%s/%s", c->state_dir, name);
    char *path = mem_text(buf_span(&b));
    buf_free(&b);
    return path;
}

// --- one check each --------------------------------------------------------------------------------------------------

static void check_programs(struct report *r)
{
    static const char *const programs[] = {"tandem-supervisor", "tandem-archive", "tandem-sparse"};
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        char *path = program_beside(programs[i]);
        bool ok = access(path, X_OK) == 0;
        add(r, programs[i], ok, path, "Install or build it; it belongs next to 'tandem'.");
        free(path);
    }
}

static bool check_state_dir(const struct ctl *c, struct report *r)
{
    struct stat st;
    if (stat(c->state_dir, &st) != 0) {
        add(r, "state directory", true, "there is none yet; 'tandem up' makes it", NULL);
        return false;
    }
    bool own = S_ISDIR(st.st_mode) && st.st_uid == geteuid();
    bool is_private = (st.st_mode & 077) == 0;
    add(r, "state directory", own && is_private && access(c->state_dir, W_OK) == 0, c->state_dir,
        own ? "Make it your own only: chmod 0700."
            : "It must be a folder that belongs to you; use another --state-dir.");
    return true;
}

static void check_format(const struct ctl *c, struct report *r)
{
    struct error e = {0};
    statedir_check_format(c->state_dir, &e);
    if (e.status == STATUS_NOT_FOUND)
        error_clear(&e);
    add_error(r, "format", &e, "known to this version");
}

static void check_config(const struct ctl *c, struct report *r)
{
    struct error e = {0};
    char host[256];
    int port;
    const char *given = ctl_value(c, "config");
    char *path = path_of(c, "tandem.conf");
    struct config *config = config_create();
    if (config_load(config, given != NULL ? given : path, given != NULL, &e) == STATUS_OK)
        config_listen(config, host, sizeof host, &port, &e);
    add_error(r, "settings", &e, "valid");
    config_destroy(config);
    free(path);
}

static void check_supervisor(struct ctl *c, struct report *r)
{
    struct error e = {0};
    char text[80];
    pid_t holder = statedir_holder(c->state_dir);
    if (holder == 0) {
        add(r, "supervisor", true, "not running; start it with 'tandem up'", NULL);
        return;
    }
    json_t *status = ctl_call_within(c, "status", NULL, 3000, &e);
    snprintf(text, sizeof text, "running, pid %d", (int)holder);
    add_error(r, "supervisor", &e, text);
    static const char *const nodes[] = {"archive", "sparse"};
    for (size_t i = 0; status != NULL && i < sizeof nodes / sizeof *nodes; i++) {
        const char *state = json_string_value(json_object_get(json_object_get(status, nodes[i]), "state"));
        add(r, nodes[i], strcmp(state, "failed") != 0, state, "See 'tandem log', then 'tandem restart NODE'.");
    }
    json_decref(status);
}

static void check_keys(const struct ctl *c, struct report *r, bool provisioned)
{
    struct buf text = {0};
    struct error e = {0};
    struct keyfile keys;
    char *path = path_of(c, "keys.json");
    enum status s = file_read(path, SMALL_FILE, &text, &e);
    if (s == STATUS_NOT_FOUND && !provisioned)
        error_clear(&e);
    else if (s == STATUS_OK)
        keyfile_parse(buf_span(&text), &keys, &e);
    add_error(r, "keys", &e, s == STATUS_OK ? "keys.json is well-formed" : "none yet");
    buf_free(&text);
    free(path);
}

static enum status count_file(const struct folder_file *file, void *count, struct error *e)
{
    (void)file;
    (void)e;
    ++*(size_t *)count;
    return STATUS_OK;
}

static void check_stores(const struct ctl *c, struct report *r, const struct installation *in)
{
    for (int i = 0; i < INSTALLATION_NODES; i++) {
        const char *name = ipc_node_name((enum ipc_node)i);
        char check[32];
        char *path = path_of(c, name);
        size_t files = 0;
        struct error e = {0};
        folder_walk(path, count_file, &files, &e);
        bool lost = in->nodes[i].person_id[0] != '\0' && files == 0;
        snprintf(check, sizeof check, "%s store", name);
        add(r, check, !lost, lost ? "the store is missing" : "there",
            ipc_code_find("STORE-MISSING", STATUS_NOT_FOUND)->hint);
        free(path);
    }
}

static void check_installation(const struct ctl *c, struct report *r)
{
    struct buf text = {0};
    struct error e = {0};
    struct installation in = {0};
    char *path = path_of(c, "installation.json");
    enum status s = file_read(path, SMALL_FILE, &text, &e);
    if (s == STATUS_OK && installation_parse(buf_span(&text), &in, &e) == STATUS_OK)
        check_stores(c, r, &in);
    if (s == STATUS_NOT_FOUND)
        error_clear(&e);
    add_error(r, "installation", &e, s == STATUS_OK ? in.user : "not provisioned yet");
    check_keys(c, r, in.nodes[0].person_id[0] != '\0');
    buf_free(&text);
    free(path);
}

static void check_room(const struct ctl *c, struct report *r)
{
    struct statvfs fs;
    struct rlimit locked;
    char text[80];
    if (statvfs(c->state_dir, &fs) == 0) {
        unsigned long long free_bytes = (unsigned long long)fs.f_bavail * fs.f_frsize;
        snprintf(text, sizeof text, "%llu MB free", free_bytes / 1000000);
        add(r, "disk", free_bytes >= SPACE_WANTED && (fs.f_flag & ST_RDONLY) == 0, text,
            "Free some space, or remount the file system writable.");
    }
    if (getrlimit(RLIMIT_MEMLOCK, &locked) == 0) {
        snprintf(text, sizeof text, "%llu KB may be locked", (unsigned long long)locked.rlim_cur / 1024);
        add(r, "locked memory", locked.rlim_cur >= LOCKED_WANTED, text,
            "Raise 'ulimit -l', so that keys are never swapped.");
    }
}

// --- the commands ----------------------------------------------------------------------------------------------------

static void print_checks(const json_t *checks)
{
    size_t i;
    json_t *item;
    json_array_foreach(checks, i, item)
    {
        bool ok = json_is_true(json_object_get(item, "ok"));
        printf("%s  %-18s  ", ok ? "ok  " : "BAD ", json_string_value(json_object_get(item, "check")));
        output_text(json_string_value(json_object_get(item, "message")));
        putchar('\n');
        if (!ok && json_is_string(json_object_get(item, "advice")))
            printf("%26s%s\n", "", json_string_value(json_object_get(item, "advice")));
    }
}

enum status run_doctor(struct ctl *c, struct error *e)
{
    struct report r = {json_array(), true};
    (void)e;
    check_programs(&r);
    check_config(c, &r);
    if (check_state_dir(c, &r)) {
        check_format(c, &r);
        check_supervisor(c, &r);
        check_installation(c, &r);
        check_room(c, &r);
    }
    c->exit = r.healthy ? IPC_EXIT_DONE : IPC_EXIT_FAILED;
    if (c->json) {
        output_json(json_pack("{s:b, s:o}", "healthy", r.healthy, "checks", r.checks));
        return STATUS_OK;
    }
    print_checks(r.checks);
    puts(r.healthy ? "Everything looks well." : "Something needs attention.");
    json_decref(r.checks);
    return STATUS_OK;
}

static void show_value(struct config_value v, bool origin, json_t *object)
{
    static const char *const origins[] = {"default", "file", "environment", "flag"};
    if (object == NULL) {
        printf("%-24s = %s", v.key, v.text);
        if (origin && v.origin == CONFIG_FILE)
            printf("    (file, line %d)", v.line);
        else if (origin)
            printf("    (%s)", origins[v.origin]);
        putchar('\n');
        return;
    }
    json_t *value = json_pack("{s:s, s:s}", "value", v.text, "origin", origins[v.origin]);
    if (v.origin == CONFIG_FILE)
        json_object_set_new(value, "line", json_integer(v.line));
    json_object_set_new(object, v.key, origin ? json_incref(value) : json_string(v.text));
    json_decref(value);
}

enum status run_config_show(struct ctl *c, struct error *e)
{
    const char *given = ctl_value(c, "config");
    char *path = path_of(c, "tandem.conf");
    struct config *config = config_create();
    enum status s = config_load(config, given != NULL ? given : path, given != NULL, e);
    json_t *object = c->json ? json_object() : NULL;
    for (size_t i = 0; s == STATUS_OK && i < config_count(); i++)
        show_value(config_at(config, i), ctl_has(c, "origin"), object);
    if (s == STATUS_OK && object != NULL)
        output_json(json_incref(object));
    json_decref(object);
    config_destroy(config);
    free(path);
    return s;
}
