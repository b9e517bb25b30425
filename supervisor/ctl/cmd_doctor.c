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
#include "supervisor/ctl/doctor.h"
#include "supervisor/ctl/output.h"
#include "supervisor/installation.h"
#include "supervisor/keyfile.h"
#include "supervisor/programs.h"
#include "supervisor/statedir.h"

enum { SMALL_FILE = 64 * 1024, SPACE_WANTED = 256 * 1024 * 1024, LOCKED_WANTED = 64 * 1024 };

void doctor_add(struct doctor *d, const char *check, bool ok, const char *message, const char *advice)
{
    json_array_append_new(d->checks, json_pack("{s:s, s:b, s:s, s:s?}", "check", check, "ok", ok, "message", message,
                                               "advice", ok ? NULL : advice));
    d->healthy = d->healthy && ok;
}

void doctor_add_error(struct doctor *d, const char *check, const struct error *e, const char *good)
{
    bool ok = e->status == STATUS_OK;
    doctor_add(d, check, ok, ok ? good : e->message, ok ? NULL : ipc_code_find(e->code, e->status)->hint);
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

static void check_programs(struct doctor *d)
{
    static const char *const programs[] = {"tandem-supervisor", "tandem-archive", "tandem-sparse"};
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        char *path = program_beside(programs[i]);
        bool ok = access(path, X_OK) == 0;
        doctor_add(d, programs[i], ok, path, "Install or build it; it belongs next to 'tandem'.");
        free(path);
    }
}

static bool check_state_dir(const struct ctl *c, struct doctor *d)
{
    struct stat st;
    if (stat(c->state_dir, &st) != 0) {
        doctor_add(d, "state directory", true, "there is none yet; 'tandem up' makes it", NULL);
        return false;
    }
    bool own = S_ISDIR(st.st_mode) && st.st_uid == geteuid();
    bool is_private = (st.st_mode & 077) == 0;
    doctor_add(d, "state directory", own && is_private && access(c->state_dir, W_OK) == 0, c->state_dir,
               own ? "Make it your own only: chmod 0700."
                   : "It must be a folder that belongs to you; use another --state-dir.");
    return true;
}

static void check_format(const struct ctl *c, struct doctor *d)
{
    struct error e = {0};
    statedir_check_format(c->state_dir, &e);
    if (e.status == STATUS_NOT_FOUND)
        error_clear(&e);
    doctor_add_error(d, "format", &e, "known to this version");
}

static void check_directions(struct doctor *d, const struct config *config)
{
    static const char *const keys[] = {"sync.no_import", "sync.no_export", "peers.no_dial"};
    struct buf message = {0};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *nodes = config_text(config, keys[i]);
        if (nodes[0] != '\0')
            buf_printf(&message, "%s%s is %s", message.len != 0 ? ", " : "", keys[i], nodes);
    }
    bool open = message.len == 0;
    doctor_add(d, "directions", open, open ? "both nodes take, offer and dial" : buf_cstr(&message),
               "That keeps them from exchanging everything; change it in tandem.conf if it is not meant.");
    buf_free(&message);
}

static void check_config(const struct ctl *c, struct doctor *d)
{
    struct error e = {0};
    char host[256];
    int port;
    const char *given = ctl_value(c, "config");
    char *path = path_of(c, "tandem.conf");
    struct config *config = config_create();
    if (config_load(config, given != NULL ? given : path, given != NULL, &e) == STATUS_OK)
        config_listen(config, host, sizeof host, &port, &e);
    doctor_add_error(d, "settings", &e, "valid");
    check_directions(d, config);
    config_destroy(config);
    free(path);
}

static void check_supervisor(struct ctl *c, struct doctor *d)
{
    struct error e = {0};
    char text[80];
    pid_t holder = statedir_holder(c->state_dir);
    if (holder == 0) {
        doctor_add(d, "supervisor", true, "not running; start it with 'tandem up'", NULL);
        return;
    }
    json_t *status = ctl_call_within(c, "status", NULL, 3000, &e);
    snprintf(text, sizeof text, "running, pid %d", (int)holder);
    doctor_add_error(d, "supervisor", &e, text);
    static const char *const nodes[] = {"archive", "sparse"};
    for (size_t i = 0; status != NULL && i < sizeof nodes / sizeof *nodes; i++) {
        const char *state = json_string_value(json_object_get(json_object_get(status, nodes[i]), "state"));
        doctor_add(d, nodes[i], strcmp(state, "failed") != 0, state, "See 'tandem log', then 'tandem restart NODE'.");
    }
    if (status != NULL)
        doctor_nodes(d, c, status);
    json_decref(status);
}

static void check_keys(const struct ctl *c, struct doctor *d, bool provisioned)
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
    doctor_add_error(d, "keys", &e, s == STATUS_OK ? "keys.json is well-formed" : "none yet");
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

static void check_stores(const struct ctl *c, struct doctor *d, const struct installation *in)
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
        doctor_add(d, check, !lost, lost ? "the store is missing" : "there",
                   ipc_code_find("STORE-MISSING", STATUS_NOT_FOUND)->hint);
        free(path);
    }
}

static void check_installation(const struct ctl *c, struct doctor *d)
{
    struct buf text = {0};
    struct error e = {0};
    struct installation in = {0};
    char *path = path_of(c, "installation.json");
    enum status s = file_read(path, SMALL_FILE, &text, &e);
    if (s == STATUS_OK && installation_parse(buf_span(&text), &in, &e) == STATUS_OK)
        check_stores(c, d, &in);
    if (s == STATUS_NOT_FOUND)
        error_clear(&e);
    doctor_add_error(d, "installation", &e, s == STATUS_OK ? in.user : "not provisioned yet");
    check_keys(c, d, in.nodes[0].person_id[0] != '\0');
    buf_free(&text);
    free(path);
}

static void check_room(const struct ctl *c, struct doctor *d)
{
    struct statvfs fs;
    struct rlimit locked;
    char text[80];
    if (statvfs(c->state_dir, &fs) == 0) {
        unsigned long long free_bytes = (unsigned long long)fs.f_bavail * fs.f_frsize;
        snprintf(text, sizeof text, "%llu MB free", free_bytes / 1000000);
        doctor_add(d, "disk", free_bytes >= SPACE_WANTED && (fs.f_flag & ST_RDONLY) == 0, text,
                   "Free some space, or remount the file system writable.");
    }
    if (getrlimit(RLIMIT_MEMLOCK, &locked) == 0) {
        snprintf(text, sizeof text, "%llu KB may be locked", (unsigned long long)locked.rlim_cur / 1024);
        doctor_add(d, "locked memory", locked.rlim_cur >= LOCKED_WANTED, text,
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
    struct doctor d = {json_array(), true};
    (void)e;
    check_programs(&d);
    check_config(c, &d);
    if (check_state_dir(c, &d)) {
        check_format(c, &d);
        check_supervisor(c, &d);
        check_installation(c, &d);
        check_room(c, &d);
    }
    c->exit = d.healthy ? IPC_EXIT_DONE : IPC_EXIT_FAILED;
    if (c->json) {
        output_json(json_pack("{s:b, s:o}", "healthy", d.healthy, "checks", d.checks));
        return STATUS_OK;
    }
    print_checks(d.checks);
    puts(d.healthy ? "Everything looks well." : "Something needs attention.");
    json_decref(d.checks);
    return STATUS_OK;
}
