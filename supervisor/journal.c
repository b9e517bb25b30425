// The native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): one datagram of NAME=value lines. Sent to the path each
// time, so that a journal that is started again gets the next one.
#include "supervisor/journal.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET "/run/systemd/journal/socket"

struct journal {
    int fd;
    struct sockaddr_un address;
};

// "DEVICE:INODE" of the stream, which may have been inherited by somebody whose standard error is another one.
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;
    return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
           st.st_dev == device && st.st_ino == inode;
}

enum status journal_open(const char *setting, struct journal **out, struct error *e)
{
    const char *path = setting[0] == '/' ? setting : SOCKET;
    *out = NULL;
    if (strcmp(setting, "no") == 0 || (strcmp(setting, "auto") == 0 && !stderr_is_journal()))
        return STATUS_OK;
    struct journal *j = mem_alloc(sizeof *j);
    j->address = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(j->address.sun_path, sizeof j->address.sun_path, "%s", path);
    j->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (j->fd >= 0 && access(path, F_OK) == 0) {
        *out = j;
        return STATUS_OK;
    }
    error_errno(e, "cannot reach the journal at %s", path);
    journal_close(j);
    return e->status;
}

void journal_close(struct journal *j)
{
    if (j == NULL)
        return;
    if (j->fd >= 0)
        close(j->fd);
    free(j);
}

static int priority_of(const char *level) // of syslog
{
    static const struct {
        const char *level;
        int priority;
    } priorities[] = {{"debug", 7}, {"info", 6}, {"warn", 4}, {"error", 3}};
    for (size_t i = 0; level != NULL && i < sizeof priorities / sizeof *priorities; i++)
        if (strcmp(priorities[i].level, level) == 0)
            return priorities[i].priority;
    return 6;
}

static void add_value(struct buf *b, const json_t *value)
{
    if (json_is_integer(value))
        buf_printf(b, "%lld", (long long)json_integer_value(value));
    for (size_t i = 0; i < json_string_length(value); i++) {
        char c = json_string_value(value)[i];
        buf_add_char(b, (unsigned char)c < 0x20 ? ' ' : c); // a line end would end the field
    }
}

static void add_field(struct buf *b, const char *name, const json_t *value)
{
    buf_add_text(b, "TANDEM_");
    for (; *name != '\0'; name++)
        buf_add_char(b, isalnum((unsigned char)*name) ? (char)toupper((unsigned char)*name) : '_');
    buf_add_char(b, '=');
    add_value(b, value);
    buf_add_char(b, '\n');
}

static void write_entry(const json_t *line, struct buf *b)
{
    static const char *const own[] = {"time", "level", "process", "pid", "event"}; // said otherwise
    const char *process = json_string_value(json_object_get(line, "process"));
    const char *event = json_string_value(json_object_get(line, "event"));
    struct buf message = {0};
    const char *name;
    json_t *value;
    buf_printf(b, "PRIORITY=%d\nSYSLOG_IDENTIFIER=tandem-%s\nTANDEM_EVENT=%s\n",
               priority_of(json_string_value(json_object_get(line, "level"))), process != NULL ? process : "supervisor",
               event != NULL ? event : "");
    buf_printf(&message, "MESSAGE=%s", event != NULL ? event : "");
    json_object_foreach((json_t *)line, name, value)
    {
        bool said = false;
        for (size_t i = 0; i < sizeof own / sizeof *own; i++)
            said = said || strcmp(own[i], name) == 0;
        if (said)
            continue;
        add_field(b, name, value);
        buf_printf(&message, " %s=", name);
        add_value(&message, value);
    }
    buf_add_span(b, buf_span(&message));
    buf_add_char(b, '\n');
    buf_free(&message);
}

void journal_line(struct journal *j, struct span line)
{
    struct buf entry = {0};
    json_t *object = json_loadb(line.ptr, line.len, 0, NULL);
    if (object != NULL) {
        write_entry(object, &entry);
    } else { // what a library wrote
        buf_add_text(&entry, "PRIORITY=5\nSYSLOG_IDENTIFIER=tandem\nMESSAGE=");
        buf_add_span(&entry, line);
        buf_add_char(&entry, '\n');
    }
    (void)sendto(j->fd, entry.data, entry.len, MSG_NOSIGNAL, (const struct sockaddr *)&j->address, sizeof j->address);
    json_decref(object);
    buf_free(&entry);
}
