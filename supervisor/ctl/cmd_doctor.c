// doctor: asks the running supervisor what is so, and looks itself at what nobody has open.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/bytes.h"
#include "io/file.h"
#include "supervisor/config.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/doctor.h"
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/units.h"
#include "supervisor/installation.h"
#include "supervisor/keyfile.h"
#include "supervisor/programs.h"
#include "supervisor/statedir.h"

enum { SMALL_FILE = 64 * 1024, SPACE_WANTED = 256 * 1024 * 1024, LOCKED_WANTED = 64 * 1024, ANSWER_MS = 3000 };

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
    bool damaged = e.status == STATUS_CORRUPT;
    doctor_add_error(d, "format", &e, "known to this version",
                     damaged ? "Unless another version of tandem made this folder, put {\"tandem\":1} into the file."
                             : NULL);
}

// Nothing starts on half of a backup.
static void check_restoring(const struct ctl *c, struct doctor *d)
{
    char *path = path_of(c, STATEDIR_RESTORING);
    if (file_exists(path))
        doctor_add(d, "restore", false, "a backup is being restored here, or was not finished",
                   ipc_code_find("RESTORE-UNFINISHED", STATUS_CONFLICT)->hint);
    free(path);
}

// --- settings --------------------------------------------------------------------------------------------------------

static const char *setting(const json_t *items, const char *key)
{
    size_t i;
    const json_t *item;
    json_array_foreach(items, i, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "key")), key) == 0)
            return json_string_value(json_object_get(item, "value"));
    }
    return "";
}

static void check_directions(struct doctor *d, const json_t *items)
{
    static const char *const keys[] = {"sync.no_import", "sync.no_export", "peers.no_dial"};
    struct buf message = {0};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *nodes = setting(items, keys[i]);
        if (nodes[0] != '\0')
            buf_printf(&message, "%s%s is %s", message.len != 0 ? ", " : "", keys[i], nodes);
    }
    bool open = message.len == 0;
    doctor_add(
        d, "directions", open, open ? "both nodes take, offer and dial" : buf_cstr(&message),
        "That keeps them from exchanging everything; 'tandem config show --origin' says who set it, if it is not "
        "meant.");
    buf_free(&message);
}

// What the next start would read. The environment of whoever asks is not that of a supervisor that runs.
static enum status read_settings(const struct ctl *c, struct config *config, bool running, struct error *e)
{
    struct listen_address where;
    const char *given = ctl_value(c, "config");
    char *path = path_of(c, "tandem.conf");
    const char *file = given != NULL ? given : path;
    enum status s =
        running ? config_load_file(config, file, given != NULL, e) : config_load(config, file, given != NULL, e);
    if (s == STATUS_OK)
        s = config_listen(config, &where, e);
    free(path);
    return s;
}

static void check_left_out(struct doctor *d, const struct config *config)
{
    size_t i;
    json_t *text;
    json_array_foreach(config_left_out(config), i, text)
        doctor_add(d, "settings", false, json_string_value(text),
                   "Until then nobody comes in by it; the rest of the file counts.");
}

static void check_settings(struct ctl *c, struct doctor *d)
{
    struct error e = {0};
    struct error unknown = {0};
    bool running = false;
    struct config *config = config_create();
    json_t *items = config_in_force(c, &running, &unknown);
    enum status s = read_settings(c, config, running, &e);
    if (s != STATUS_OK || json_array_size(config_left_out(config)) == 0)
        doctor_add_error(d, "settings", &e, running ? "those of the running supervisor; the file is valid" : "valid",
                         NULL);
    check_left_out(d, config);
    if (s == STATUS_OK && !running)
        doctor_port(d, config);
    if (items != NULL)
        check_directions(d, items);
    json_decref(items);
    config_destroy(config);
}

// --- the supervisor and its nodes ------------------------------------------------------------------------------------

static void add_time(struct buf *b, const json_t *at)
{
    char time[32];
    units_date(json_integer_value(at), time, sizeof time);
    buf_add_text(b, time);
}

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text != NULL ? text : "";
}

// What keeps it from running now, or how it ended before.
static void check_node(struct doctor *d, const char *node, const json_t *status)
{
    struct buf message = {0};
    const json_t *failure = json_object_get(status, "failure");
    const json_t *end = json_object_get(status, "lastEnd");
    const char *state = text_of(status, "state");
    json_int_t restarts = json_integer_value(json_object_get(status, "restarts"));
    bool failed = json_is_object(failure);
    buf_add_text(&message, state);
    if (failed) {
        buf_printf(&message, ": %s (%s), ", text_of(failure, "message"), text_of(failure, "code"));
        add_time(&message, json_object_get(failure, "at"));
    } else if (strcmp(state, "unprovisioned") == 0) {
        buf_add_text(&message, "; 'tandem provision' opens it");
    }
    if (!failed && json_is_object(end)) {
        buf_printf(&message, "; %lld restarts, its process %s, ", (long long)restarts, text_of(end, "reason"));
        add_time(&message, json_object_get(end, "at"));
    }
    bool circular = strcmp(text_of(failure, "code"), "STORE-CORRUPT") == 0; // its hint is to ask here
    doctor_add(d, node, !failed && strcmp(state, "failed") != 0, buf_cstr(&message),
               circular ? "What is wrong with its store is said below."
               : failed ? text_of(failure, "hint")
                        : "See 'tandem log', then 'tandem restart NODE'.");
    buf_free(&message);
}

// Of a supervisor that was to open the installation by itself.
static void check_autostart(struct doctor *d, const json_t *status)
{
    struct buf message = {0};
    const json_t *autostart = json_object_get(json_object_get(status, "supervisor"), "autostart");
    const json_t *failure = json_object_get(autostart, "failure");
    if (!json_is_object(autostart))
        return;
    buf_printf(&message, "secret from %s", text_of(autostart, "from"));
    if (json_is_object(failure))
        buf_printf(&message, ": %s (%s)", text_of(failure, "message"), text_of(failure, "code"));
    doctor_add(
        d, "autostart", !json_is_object(failure), buf_cstr(&message),
        "Give it the secret that is in force (tandem.conf, [autostart]), and type it for now: tandem provision.");
    buf_free(&message);
}

static json_t *check_supervisor(struct ctl *c, struct doctor *d)
{
    static const char *const nodes[] = {"archive", "sparse"};
    struct error e = {0};
    char text[80];
    pid_t holder = statedir_holder(c->state_dir);
    if (holder == 0) {
        doctor_add(d, "supervisor", true, "not running; start it with 'tandem up'", NULL);
        return NULL;
    }
    json_t *status = ctl_call_within(c, "status", NULL, ANSWER_MS, &e);
    snprintf(text, sizeof text, "running, pid %d", (int)holder);
    doctor_add_error(d, "supervisor", &e, text, NULL);
    for (size_t i = 0; status != NULL && i < sizeof nodes / sizeof *nodes; i++)
        check_node(d, nodes[i], json_object_get(status, nodes[i]));
    if (status != NULL)
        check_autostart(d, status);
    if (status != NULL)
        doctor_nodes(d, c, status);
    d->components = json_incref(json_object_get(status, "components"));
    return status;
}

// --- the record and the keys -----------------------------------------------------------------------------------------

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
    doctor_add_error(d, "keys", &e, s == STATUS_OK ? "keys.json is well-formed" : "none yet", NULL);
    buf_free(&text);
    free(path);
}

static bool has_keys(const struct ctl *c)
{
    char *path = path_of(c, "keys.json");
    bool found = file_exists(path);
    free(path);
    return found;
}

static void check_installation(const struct ctl *c, struct doctor *d, const json_t *status)
{
    struct buf text = {0};
    struct error e = {0};
    struct installation in = {0};
    char *path = path_of(c, "installation.json");
    enum status s = file_read(path, SMALL_FILE, &text, &e);
    if (s == STATUS_OK)
        installation_parse(buf_span(&text), &in, &e);
    if (s == STATUS_NOT_FOUND && !has_keys(c))
        error_clear(&e);
    doctor_add_error(d, "installation", &e, s == STATUS_OK ? in.user : "not provisioned yet",
                     "Put installation.json back from a backup; stores and keys are useless without it.");
    check_keys(c, d, in.nodes[0].person_id[0] != '\0');
    if (e.status == STATUS_OK)
        doctor_stores(d, c, &in, status);
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
        output_state(ok ? "ok" : "BAD");
        printf("%s  %-18s  ", ok ? "  " : " ", json_string_value(json_object_get(item, "check")));
        output_text(json_string_value(json_object_get(item, "message")));
        putchar('\n');
        if (!ok && json_is_string(json_object_get(item, "advice")))
            printf("%26s%s\n", "", json_string_value(json_object_get(item, "advice")));
    }
}

static const char *verdict(const struct doctor *d)
{
    if (!d->healthy)
        return "Something needs attention.";
    return d->degraded ? "Nothing here needs mending, but not everybody is connected: see 'tandem health'."
                       : "Everything looks well.";
}

enum status run_doctor(struct ctl *c, struct error *e)
{
    struct doctor d = {.checks = json_array(), .healthy = true};
    (void)e;
    check_programs(&d);
    bool there = check_state_dir(c, &d);
    check_settings(c, &d);
    if (there) {
        check_format(c, &d);
        check_restoring(c, &d);
        json_t *status = check_supervisor(c, &d);
        check_installation(c, &d, status);
        check_room(c, &d);
        json_decref(status);
    }
    c->exit = d.healthy ? IPC_EXIT_DONE : IPC_EXIT_FAILED;
    if (c->json) {
        output_json(json_pack("{s:b, s:b, s:o, s:o?}", "healthy", d.healthy, "degraded", d.degraded, "checks", d.checks,
                              "components", d.components));
        return STATUS_OK;
    }
    print_checks(d.checks);
    output_components(d.components);
    json_decref(d.components);
    puts(verdict(&d));
    json_decref(d.checks);
    return STATUS_OK;
}
