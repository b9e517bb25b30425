// A row for each setting: what it may be, its default, and whether the nodes are told. A value is a text that was
// checked when it was set. What comes later wins: default, file, environment, flag.
#include "supervisor/config.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/log.h"
#include "base/near.h"
#include "base/text.h"
#include "supervisor/config_list.h"

enum kind { TEXT, NUMBER, LEVEL, KEEPER, SWITCH, NODES, URL, URLS, HOSTS, ORIGINS, PLACE, JOURNAL };

static const struct row {
    const char *key;
    enum kind kind;
    int64_t min;
    int64_t max;
    bool for_nodes;
    const char *otherwise;
    const char *about;
} rows[] = {
    {"listen.address", TEXT, 0, 0, false, "localhost:8765",
     "host:port of the archive node's listener; none: it is reached at relays only"},
    {"listen.public_url", URL, 0, 0, true, "", "where others reach the archive node, if not at its listener"},
    {"listen.hosts", HOSTS, 0, 0, true, "", "further names by which the listener may be addressed"},
    {"listen.origins", ORIGINS, 0, 0, true, "", "further web origins that may connect"},
    {"discovery.on", SWITCH, 0, 0, false, "false", "others in the local network find the listener, and we theirs"},
    {"relay.urls", URLS, 0, 0, true, "", "relays (commservers) to register with"},
    {"relay.listen", PLACE, 0, 0, true, "", "host:port of a relay that runs inside the archive node"},
    {"peers.pairing", SWITCH, 0, 0, true, "true", "strangers may come in with an invitation"},
    {"peers.invitation_s", NUMBER, 1, 86400 * 30, true, "900", "how long an invitation is valid"},
    {"peers.store_mb", NUMBER, 0, 16777216, true, "16384",
     "megabytes by which one contact may make a node's store grow; 0: any"},
    {"peers.debug", SWITCH, 0, 0, true, "true", "contacts may ask what they are shown (group debug)"},
    {"peers.no_dial", NODES, 0, 0, true, "", "nodes that dial nobody: archive, sparse"},
    {"sync.no_import", NODES, 0, 0, true, "", "nodes that take nothing over from others"},
    {"sync.no_export", NODES, 0, 0, true, "", "nodes that offer nothing to others"},
    {"sync.interval_ms", NUMBER, 0, 3600000, true, "0", "between two questions to a peer; 0: as often as needed"},
    {"sparse.take_kb", NUMBER, 0, 1073741824, true, "1024",
     "kilobytes up to which files of the archive come to the sparse node by themselves; bigger ones when"
     " they are read"},
    {"sparse.quota_mb", NUMBER, 0, 16777216, true, "32",
     "megabytes of files that the sparse node keeps; what the archive has too goes, the longest unused first"},
    {"sparse.keep_s", NUMBER, 0, 31536000, true, "60",
     "seconds for which a file that is not read to its end stays, whatever the quota"},
    {"autostart.secret", KEEPER, 0, 0, false, "none",
     "who hands over the secret after a start: none, credential (systemd) or keyring (secret-tool)"},
    {"autostart.user", TEXT, 0, 0, false, "",
     "with a secret of autostart.secret: make an installation for this user if "
     "there is none"},
    {"ui.listen", TEXT, 0, 0, false, "127.0.0.1:0",
     "where 'tandem ui' listens on this machine; port 0 takes a free one"},
    {"alert.no_sync_s", NUMBER, 0, 86400, true, "60",
     "event when the own nodes do not synchronise for so long; 0: never"},
    {"alert.errors", NUMBER, 0, 1000000, true, "60", "event when so many errors happen within a minute; 0: never"},
    {"tls.ca_file", TEXT, 0, 0, false, "", "certificates that wss:// peers may be signed by"},
    {"log.level", LEVEL, 0, 0, false, "info", "debug, info, warn or error"},
    {"log.journal", JOURNAL, 0, 0, false, "auto",
     "the log also goes to systemd's journal: auto (where standard error does), yes, no, or the path of its socket"},
    {"restart.backoff_min_ms", NUMBER, 1, 60000, false, "100", "wait before the first restart of a dead node"},
    {"restart.backoff_max_ms", NUMBER, 1, 600000, false, "5000", "longest wait, reached by doubling"},
    {"restart.deaths", NUMBER, 1, 64, false, "5", "so many deaths within the window make a node 'failed'"},
    {"restart.window_s", NUMBER, 1, 86400, false, "60", "the window"},
    {"restart.healthy_s", NUMBER, 1, 86400, false, "10", "running that long makes the deaths before forgotten"},
    {"heartbeat.interval_s", NUMBER, 1, 3600, false, "5", "how often a node is asked whether it lives"},
    {"heartbeat.silence_s", NUMBER, 1, 3600, false, "20", "silence after which it is killed"},
};

enum { ROWS = sizeof rows / sizeof *rows, KEY_MAX = 64, LETTERS_PER_SLIP = 3 };

struct config {
    struct {
        char *text;
        enum config_origin origin;
        int line;
    } values[ROWS];
    json_t *left_out; // see config_left_out
};

// Lists of whom the door lets in. Older versions took any words here: such an entry never let anybody in, so that it is
// left out of a file, and whoever upgrades can start. Nothing left of hosts is localhost, which always may come in: a
// listener on every address would not open without a name.
static const struct admission {
    enum kind kind;
    bool (*is)(const char *entry);
    const char *entries; // for people, what they are
    const char *none;    // what counts where each is left out; no wider than nothing at all
} admissions[] = {
    {HOSTS, address_is_host,
     "names or IP addresses without scheme, port or brackets, such as home.example.org, 192.0.2.7 or 2001:db8::1",
     "localhost"},
    {ORIGINS, address_is_origin,
     "origins as browsers name them, without a path and without / at the end, such as https://lama.example, or null",
     ""},
};

static const struct row *find_row(const char *key)
{
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(rows[i].key, key) == 0)
            return &rows[i];
    return NULL;
}

enum status config_unknown(const char *key, struct error *e)
{
    const char *nearest = NULL;
    size_t least = strlen(key) / LETTERS_PER_SLIP + 1;
    for (size_t i = 0; i < ROWS; i++) {
        size_t slips = near_slips(key, rows[i].key);
        if (slips < least) {
            least = slips;
            nearest = rows[i].key;
        }
    }
    if (nearest == NULL)
        return error_set(e, STATUS_INVALID, "BAD-CONFIG",
                         "there is no setting '%.60s'; 'tandem config show' has them all", key);
    return error_set(e, STATUS_INVALID, "BAD-CONFIG", "there is no setting '%.60s'; did you mean '%s'?", key, nearest);
}

bool config_has(const char *key)
{
    return find_row(key) != NULL;
}

static const char *origin_name(enum config_origin origin)
{
    static const char *const names[] = {"default", "file", "environment", "flag"};
    return names[origin];
}

struct config *config_create(void)
{
    struct config *c = mem_alloc(sizeof *c);
    for (size_t i = 0; i < ROWS; i++)
        c->values[i].text = mem_text(span_of(rows[i].otherwise));
    c->left_out = json_array();
    return c;
}

void config_destroy(struct config *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < ROWS; i++)
        free(c->values[i].text);
    json_decref(c->left_out);
    free(c);
}

static bool is_one_of(const char *text, const char *const words[])
{
    while (*words != NULL && strcmp(text, *words) != 0)
        words++;
    return *words != NULL;
}

static bool is_node(const char *text)
{
    static const char *const nodes[] = {"archive", "sparse", NULL};
    return is_one_of(text, nodes);
}

// As others take it, too: the scheme in small letters, no fragment.
static bool is_url(const char *text)
{
    struct ws_url url;
    bool small = strncmp(text, "ws://", 5) == 0 || strncmp(text, "wss://", 6) == 0;
    return small && strchr(text, '#') == NULL && ws_url_parse(text, &url, NULL) == STATUS_OK;
}

static bool is_url_or_none(const char *text)
{
    return text[0] == '\0' || (is_url(text) && strlen(text) <= ADDRESS_URL_MAX);
}

static bool is_place_or_none(const char *text)
{
    struct listen_address where;
    return text[0] == '\0' || listen_address_parse(text, &where, NULL) == STATUS_OK;
}

static const struct admission *admission_of(enum kind kind)
{
    for (size_t i = 0; i < sizeof admissions / sizeof *admissions; i++)
        if (admissions[i].kind == kind)
            return &admissions[i];
    return NULL;
}

static enum status check_number(const struct row *row, const char *text, struct error *e)
{
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || n < row->min || n > row->max)
        return error_set(e, STATUS_INVALID, "BAD-CONFIG", "%s must be a number from %lld to %lld", row->key,
                         (long long)row->min, (long long)row->max);
    return STATUS_OK;
}

// Of where others reach us, and who they are.
static enum status check_address(const struct row *row, const char *text, struct error *e)
{
    if (row->kind == URL && !is_url_or_none(text))
        return error_set(e, STATUS_INVALID, "BAD-CONFIG",
                         "%s must be what others dial, such as wss://home.example.org or ws://192.0.2.7:8765, of at "
                         "most %d bytes; '%.80s' is not",
                         row->key, ADDRESS_URL_MAX, text);
    if (row->kind == URLS && !config_list_all(text, is_url))
        return error_set(e, STATUS_INVALID, "BAD-CONFIG", "%s must be ws:// or wss:// addresses; '%.80s' is not",
                         row->key, text);
    const struct admission *who = admission_of(row->kind);
    if (who != NULL && !config_list_all(text, who->is))
        return error_set(e, STATUS_INVALID, "BAD-CONFIG", "%s must be %s; '%.80s' is not", row->key, who->entries,
                         text);
    if (row->kind == PLACE && !is_place_or_none(text))
        return error_set(e, STATUS_INVALID, "BAD-CONFIG", "%s must be HOST:PORT; '%.80s' is not", row->key, text);
    return STATUS_OK;
}

static enum status check(const struct row *row, const char *text, struct error *e)
{
    enum log_level level;
    static const char *const journals[] = {"auto", "yes", "no", NULL};
    static const char *const keepers[] = {"none", "credential", "keyring", NULL};
    static const char *const switches[] = {"true", "false", NULL};
    if (row->kind == NUMBER)
        return check_number(row, text, e);
    if (row->kind == LEVEL && !log_level_parse(text, &level))
        return error_set(e, STATUS_INVALID, "BAD-CONFIG", "%s must be debug, info, warn or error", row->key);
    if (row->kind == JOURNAL && text[0] != '/' && !is_one_of(text, journals))
        return error_set(e, STATUS_INVALID, "BAD-CONFIG", "%s must be auto, yes, no, or the path of a socket",
                         row->key);
    if (row->kind == KEEPER && !is_one_of(text, keepers))
        return error_set(e, STATUS_INVALID, "BAD-CONFIG", "%s must be none, credential or keyring", row->key);
    if (row->kind == SWITCH && !is_one_of(text, switches))
        return error_set(e, STATUS_INVALID, "BAD-CONFIG", "%s must be true or false", row->key);
    if (row->kind == NODES && !config_list_all(text, is_node))
        return error_set(e, STATUS_INVALID, "BAD-CONFIG", "%s must name nodes: archive, sparse", row->key);
    return check_address(row, text, e);
}

static enum status assign(struct config *c, const char *key, const char *text, enum config_origin origin, int line,
                          struct error *e)
{
    const struct row *row = find_row(key);
    if (row == NULL)
        return config_unknown(key, e);
    if (check(row, text, e) != STATUS_OK)
        return e->status;
    size_t i = (size_t)(row - rows);
    if (origin < c->values[i].origin)
        return STATUS_OK; // something stronger spoke already
    free(c->values[i].text);
    c->values[i].text = mem_text(span_of(text));
    c->values[i].origin = origin;
    c->values[i].line = line;
    return STATUS_OK;
}

struct reading {
    struct config *config;
    struct error *error;
    const char *path;
    FILE *file;
    int line;
};

static char *read_line(char *out, int size, void *arg)
{
    struct reading *r = arg;
    r->line++;
    return fgets(out, size, r->file);
}

static void leave_out(struct reading *r, const char *key, const struct admission *who, struct span entry)
{
    struct buf word = {0};
    struct buf text = {0};
    text_escape_controls(entry, &word);
    buf_printf(&text, "%s line %d: '%s' of %s is left out; write %s", r->path, r->line, buf_cstr(&word), key,
               who->entries);
    json_array_append_new(r->config->left_out, json_string(buf_cstr(&text)));
    buf_free(&word);
    buf_free(&text);
}

static void keep_entries(struct reading *r, const char *key, const struct admission *who, const char *text,
                         struct buf *kept)
{
    for (struct span s = config_list_next(&text); s.len > 0; s = config_list_next(&text)) {
        if (!config_list_is(s, who->is)) {
            leave_out(r, key, who, s);
            continue;
        }
        buf_add_text(kept, kept->len > 0 ? " " : "");
        buf_add_span(kept, s);
    }
}

// As assign, but of a list of whom the door lets in what it cannot be is left out.
static enum status assign_line(struct reading *r, const char *key, const char *text)
{
    struct buf kept = {0};
    const struct row *row = find_row(key);
    const struct admission *who = row != NULL ? admission_of(row->kind) : NULL;
    if (who != NULL && !config_list_all(text, who->is)) {
        keep_entries(r, key, who, text, &kept);
        text = kept.len > 0 ? buf_cstr(&kept) : who->none;
    }
    enum status s = assign(r->config, key, text, CONFIG_FILE, r->line, r->error);
    buf_free(&kept);
    return s;
}

static int take_line(void *arg, const char *section, const char *name, const char *value)
{
    struct reading *r = arg;
    char key[KEY_MAX];
    snprintf(key, sizeof key, "%s%s%s", section, section[0] != '\0' ? "." : "", name);
    if (r->error->status != STATUS_OK)
        return 0;
    if (assign_line(r, key, value) == STATUS_OK)
        return 1;
    error_prefix(r->error, "%s line %d", r->path, r->line);
    return 0;
}

enum status config_load_file(struct config *c, const char *path, bool required, struct error *e)
{
    struct error first = {0};
    FILE *file = fopen(path, "re");
    if (file == NULL && errno == ENOENT && !required)
        return STATUS_OK;
    if (file == NULL)
        return error_errno(e, "cannot open %s", path);
    struct reading r = {c, &first, path, file, 0};
    int line = ini_parse_stream(read_line, &r, take_line, &r);
    fclose(file);
    if (first.status != STATUS_OK) {
        *e = first;
        return e->status;
    }
    if (line != 0)
        return error_set(e, STATUS_INVALID, "BAD-CONFIG", "%s line %d is neither [section] nor key = value", path,
                         line);
    return STATUS_OK;
}

static void variable_name(const char *key, char *out, size_t size)
{
    int n = snprintf(out, size, "TANDEM_%s", key);
    for (int i = 7; i < n; i++)
        out[i] = out[i] == '.' ? '_' : (char)toupper((unsigned char)out[i]);
}

enum status config_load(struct config *c, const char *path, bool required, struct error *e)
{
    if (config_load_file(c, path, required, e) != STATUS_OK)
        return e->status;
    for (size_t i = 0; i < ROWS; i++) {
        char name[KEY_MAX + 8];
        variable_name(rows[i].key, name, sizeof name);
        const char *value = getenv(name);
        if (value == NULL)
            continue;
        if (assign(c, rows[i].key, value, CONFIG_ENVIRONMENT, 0, e) != STATUS_OK) {
            error_prefix(e, "environment variable %s", name);
            return e->status;
        }
    }
    return STATUS_OK;
}

enum status config_reload(struct config *c, const char *path, bool required, struct error *e)
{
    struct config *fresh = config_create();
    enum status s = config_load(fresh, path, required, e);
    for (size_t i = 0; s == STATUS_OK && i < ROWS; i++) {
        if (c->values[i].origin == CONFIG_FLAG)
            continue;
        char *old = c->values[i].text;
        c->values[i] = fresh->values[i];
        fresh->values[i].text = old;
    }
    if (s == STATUS_OK) {
        json_t *old = c->left_out;
        c->left_out = fresh->left_out;
        fresh->left_out = old;
    }
    config_destroy(fresh);
    return s;
}

enum status config_set(struct config *c, const char *key, const char *text, struct error *e)
{
    return assign(c, key, text, CONFIG_FLAG, 0, e);
}

const json_t *config_left_out(const struct config *c)
{
    return c->left_out;
}

static struct config_value value_at(const struct config *c, size_t i)
{
    return (struct config_value){rows[i].key, c->values[i].text, rows[i].about, c->values[i].origin, c->values[i].line};
}

struct config_value config_find(const struct config *c, const char *key)
{
    const struct row *row = find_row(key);
    if (row == NULL)
        abort(); // a bug: the table and the code disagree
    return value_at(c, (size_t)(row - rows));
}

const char *config_text(const struct config *c, const char *key)
{
    return config_find(c, key).text;
}

int64_t config_int(const struct config *c, const char *key)
{
    return strtoll(config_text(c, key), NULL, 10);
}

enum status config_listen(const struct config *c, struct listen_address *out, struct error *e)
{
    const char *text = config_text(c, "listen.address");
    if (strcmp(text, "none") == 0)
        *out = (struct listen_address){.host = "none"};
    else if (listen_address_parse(text, out, NULL) != STATUS_OK)
        return error_set(e, STATUS_INVALID, "BAD-CONFIG", "listen address '%.80s' is not HOST:PORT, or none", text);
    return STATUS_OK;
}

bool config_has_hosts(const struct config *c)
{
    return config_text(c, "listen.hosts")[0] != '\0' || config_text(c, "listen.public_url")[0] != '\0';
}

static json_t *value_to_json(const struct row *row, const char *text)
{
    switch (row->kind) {
    case URLS:
    case HOSTS:
    case ORIGINS:
    case NODES:
        return config_list_json(text);
    case NUMBER:
        return json_integer(strtoll(text, NULL, 10));
    case SWITCH:
        return json_boolean(strcmp(text, "true") == 0);
    case TEXT:
    case URL:
    case PLACE:
    case LEVEL:
    case JOURNAL:
    case KEEPER:
        break;
    }
    return json_string(text);
}

json_t *config_to_json(const struct config *c)
{
    json_t *items = json_array();
    for (size_t i = 0; i < ROWS; i++) {
        struct config_value v = value_at(c, i);
        json_t *item = json_pack("{s:s, s:s, s:s}", "key", v.key, "value", v.text, "origin", origin_name(v.origin));
        if (v.origin == CONFIG_FILE)
            json_object_set_new(item, "line", json_integer(v.line));
        json_array_append_new(items, item);
    }
    return items;
}

json_t *config_for_nodes(const struct config *c)
{
    json_t *object = json_object();
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].for_nodes)
            json_object_set_new(object, rows[i].key, value_to_json(&rows[i], c->values[i].text));
    }
    return object;
}
