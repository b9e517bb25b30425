// Editors put a mark of UTF-8 in front and a carriage return behind: neither is part of the secret.
#include "supervisor/secretline.h"

#include <string.h>
#include <unistd.h>

#include "base/text.h"

static const char mark[] = "\xef\xbb\xbf"; // some editors begin every file with it

enum status secret_line_take(const struct secret *room, size_t len, struct secret *out, struct error *e)
{
    const char *line = (const char *)room->data;
    const char *end = len != 0 ? memchr(line, '\n', len) : NULL;
    if (end != NULL)
        len = (size_t)(end - line);
    while (len > 0 && line[len - 1] == '\r')
        len--;
    if (len >= sizeof mark - 1 && memcmp(line, mark, sizeof mark - 1) == 0) {
        line += sizeof mark - 1;
        len -= sizeof mark - 1;
    }
    if (len == 0)
        return error_set(e, STATUS_INVALID, "SECRET-MISSING", "no secret was given");
    if (len > SECRET_MAX)
        return error_set(e, STATUS_INVALID, "BAD-INPUT", "a secret has at most %d bytes", SECRET_MAX);
    if (!utf8_valid((struct span){line, len}))
        return error_set(e, STATUS_INVALID, "BAD-TEXT", "the secret is not valid UTF-8");
    *out = secret_copy(line, len);
    return STATUS_OK;
}

enum status secret_line_read(int fd, struct secret *out, struct error *e)
{
    struct secret room = secret_create(SECRET_LINE_ROOM);
    size_t len = 0;
    ssize_t n = 0;
    while (len < SECRET_LINE_ROOM && (n = read(fd, room.data + len, 1)) == 1 && room.data[len] != '\n')
        len++;
    enum status st = n < 0 ? error_errno(e, "cannot read the secret") : secret_line_take(&room, len, out, e);
    secret_destroy(&room);
    return st;
}
