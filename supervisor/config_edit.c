// One line of a file of settings is changed; what else stands there, comments included, stays as it is.
#include "supervisor/config_edit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "io/file.h"
#include "supervisor/config.h"

enum { FILE_LIMIT = 1024 * 1024, AUTHORITIES_LIMIT = 16 * 1024 * 1024, SECTION_MAX = 32 };

struct edit {
    char section[SECTION_MAX];
    const char *name;
    const char *value; // NULL: the line goes, and the default counts again
    struct buf text;
    bool done;
};

static struct span line_at(struct span rest)
{
    const char *end = rest.len > 0 ? memchr(rest.ptr, '\n', rest.len) : NULL;
    return (struct span){rest.ptr, end != NULL ? (size_t)(end - rest.ptr) + 1 : rest.len};
}

static size_t blanks_of(struct span line)
{
    size_t n = 0;
    while (n < line.len && strchr(" \t\r\n", line.ptr[n]) != NULL)
        n++;
    return n;
}

static bool is_comment(struct span line)
{
    size_t n = blanks_of(line);
    return n == line.len || line.ptr[n] == ';' || line.ptr[n] == '#';
}

// A line that begins with blanks goes on with the value before.
static bool goes_on(struct span line)
{
    return blanks_of(line) > 0 && !is_comment(line);
}

static bool is_section(struct span line, const char *name)
{
    size_t len = strlen(name);
    return line.len >= len + 2 && line.ptr[0] == '[' && strncmp(line.ptr + 1, name, len) == 0 &&
           line.ptr[len + 1] == ']';
}

static bool is_setting(struct span line, const char *name)
{
    size_t len = strlen(name);
    if (line.len <= len || strncmp(line.ptr, name, len) != 0)
        return false;
    size_t end = len + blanks_of(span_from(line, len));
    return end < line.len && (line.ptr[end] == '=' || line.ptr[end] == ':');
}

static void add_setting(struct edit *x)
{
    if (!x->done && x->value != NULL)
        buf_printf(&x->text, "%s = %s\n", x->name, x->value);
    x->done = true;
}

static void end_line(struct buf *text)
{
    if (text->len > 0 && text->data[text->len - 1] != '\n')
        buf_add_char(text, '\n');
}

static bool has_setting(const struct edit *x, struct span text)
{
    bool inside = false;
    bool found = false;
    for (struct span line; text.len > 0; text = span_from(text, line.len)) {
        line = line_at(text);
        inside = line.ptr[0] == '[' ? is_section(line, x->section) : inside;
        found = found || (inside && is_setting(line, x->name));
    }
    return found;
}

// The line takes the place of the old one, else it comes first in its section, else with the section at the end.
static void edit_lines(struct edit *x, struct span old)
{
    bool inside = false;
    bool replaced = false; // what goes on with the old value goes with it
    bool comes_first = !has_setting(x, old);
    for (struct span line; old.len > 0; old = span_from(old, line.len)) {
        line = line_at(old);
        bool starts = line.ptr[0] == '[';
        inside = starts ? is_section(line, x->section) : inside;
        if (replaced && goes_on(line))
            continue;
        replaced = inside && is_setting(line, x->name);
        if (replaced) {
            add_setting(x);
            continue;
        }
        buf_add_span(&x->text, line);
        end_line(&x->text);
        if (inside && starts && comes_first)
            add_setting(x);
    }
    if (!x->done && x->value != NULL) {
        buf_printf(&x->text, "%s[%s]\n", x->text.len > 0 ? "\n" : "", x->section);
        add_setting(x);
    }
}

// A section that lost its last line goes with the blank lines about it.
static void drop_empty_section(struct edit *x)
{
    struct buf kept = {0};
    struct span text = buf_span(&x->text);
    for (struct span line; text.len > 0; text = span_from(text, line.len)) {
        line = line_at(text);
        size_t n = line.len + blanks_of(span_from(text, line.len));
        if (!is_section(line, x->section) || (n < text.len && text.ptr[n] != '[')) {
            buf_add_span(&kept, line);
            continue;
        }
        line.len = n;
        while (n == text.len && kept.len > 1 && kept.data[kept.len - 1] == '\n' && kept.data[kept.len - 2] == '\n')
            kept.len--;
    }
    buf_free(&x->text);
    x->text = kept;
}

static bool is_every_address(const char *host)
{
    struct in6_addr a = {0};
    return (inet_pton(AF_INET, host, &a) == 1 || inet_pton(AF_INET6, host, &a) == 1) && IN6_IS_ADDR_UNSPECIFIED(&a);
}

// The nodes read it where they run, so that a path which depends on the folder of this command means nothing to them.
static enum status check_authorities(const char *path, struct error *e)
{
    struct buf text = {0};
    struct error why = {0};
    if (path[0] == '\0')
        return STATUS_OK;
    enum status s = path[0] == '/' ? file_read(path, AUTHORITIES_LIMIT, &text, &why)
                                   : error_set(&why, STATUS_INVALID, "BAD-CONFIG", "it does not begin with /");
    if (s == STATUS_OK && strstr(buf_cstr(&text), "-----BEGIN ") == NULL)
        s = error_set(&why, STATUS_INVALID, "BAD-CONFIG", "there is no '-----BEGIN CERTIFICATE-----' in it");
    buf_free(&text);
    return s == STATUS_OK
               ? s
               : error_set(e, STATUS_INVALID, "BAD-CONFIG",
                           "tls.ca_file must be the whole path of a PEM file of certificates; '%.80s' is not: "
                           "%.200s",
                           path, why.message);
}

// The next start would refuse it, or 'ui' would.
static enum status check_start(const struct config *c, const char *key, struct error *e)
{
    struct listen_address where = {0};
    const char *ui = config_text(c, "ui.listen");
    if (strcmp(key, "ui.listen") == 0 &&
        (listen_address_parse(ui, &where, NULL) != STATUS_OK || address_reach(where.host) != ADDRESS_MACHINE))
        return error_set(e, STATUS_INVALID, "BAD-CONFIG",
                         "%s must be HOST:PORT of this machine, at 127.0.0.1, localhost or [::1]; '%.80s' is not", key,
                         ui);
    if (strcmp(key, "tls.ca_file") == 0)
        return check_authorities(config_text(c, key), e);
    if (strncmp(key, "listen.", strlen("listen.")) != 0)
        return STATUS_OK;
    enum status s = config_listen(c, &where, e);
    if (s == STATUS_OK && !config_has_hosts(c) && is_every_address(where.host))
        return error_set(e, STATUS_INVALID, "HOSTS-MISSING",
                         "a listener on every address (%s) needs the names it is reached by", where.host);
    return s;
}

// What is written has to be read as it was meant.
static enum status check_written(const char *path, const char *key, const char *value, struct error *e)
{
    struct config *c = config_create();
    enum status s = config_load_file(c, path, true, e);
    if (s == STATUS_OK && value != NULL && strcmp(config_text(c, key), value) != 0)
        s = error_set(e, STATUS_INVALID, "BAD-CONFIG", "a file of settings cannot hold '%.80s' as it is", value);
    if (s == STATUS_OK)
        s = check_start(c, key, e);
    config_destroy(c);
    return s;
}

static enum status write_file(struct edit *x, const char *path, const char *key, struct error *e)
{
    struct buf fresh = {0};
    struct error ignored = {0};
    buf_printf(&fresh, "%s.new", path);
    enum status s = file_write(buf_cstr(&fresh), buf_span(&x->text), 0600, e);
    if (s == STATUS_OK)
        s = check_written(buf_cstr(&fresh), key, x->value, e);
    if (s == STATUS_OK)
        s = file_rename(buf_cstr(&fresh), path, e);
    if (s != STATUS_OK)
        file_remove(buf_cstr(&fresh), &ignored);
    buf_free(&fresh);
    return s;
}

enum status config_edit_check(const char *key, const char *value, struct error *e)
{
    if (!config_has(key))
        return config_unknown(key, e);
    struct config *c = config_create();
    enum status s = value != NULL ? config_set(c, key, value, e) : STATUS_OK;
    config_destroy(c);
    return s;
}

static void name_line(struct edit *x, const char *key, const char *value)
{
    const char *dot = strchr(key, '.');
    snprintf(x->section, sizeof x->section, "%.*s", (int)(dot - key), key);
    x->name = dot + 1;
    x->value = value;
}

enum status config_edit(const char *path, const char *key, const char *value, bool *had, struct error *e)
{
    struct edit x = {0};
    struct buf old = {0};
    struct config *before = config_create();
    enum status s = config_edit_check(key, value, e);
    if (s == STATUS_OK) {
        name_line(&x, key, value);
        s = config_load_file(before, path, false, e); // nobody mends a file that cannot be read by adding to it
    }
    if (s == STATUS_OK && file_exists(path))
        s = file_read(path, FILE_LIMIT, &old, e);
    *had = s == STATUS_OK && has_setting(&x, buf_span(&old));
    if (s == STATUS_OK && (*had || x.value != NULL)) {
        edit_lines(&x, buf_span(&old));
        if (x.value == NULL)
            drop_empty_section(&x);
        s = write_file(&x, path, key, e);
    }
    config_destroy(before);
    buf_free(&old);
    buf_free(&x.text);
    return s;
}
