// What is small may be a row or a file and is read at the opening, checked there; the rest is a file, which stays open.
#include "store/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/sha256.h"
#include "io/sys.h"
#include "store/objects.h"
#include "store/place.h"
#include "store/room_internal.h"
#include "store/rows.h"
#include "store/state.h"

struct store_reader {
    struct hash hash;
    uint64_t size;
    uint64_t offset;
    struct buf small;   // all of it, when fd is -1
    int fd;             // owned
    struct sha256 *sha; // of what was read so far from fd
};

static enum status open_file(struct store *s, struct store_reader *r, struct error *e)
{
    struct object_row row;
    enum status st = object_need(s, &r->hash, &row, e);
    if (st != STATUS_OK)
        return st;
    if (row.state == STATE_REMOTE)
        return object_is_remote(s, &r->hash, e);
    if (store_presence(s, &r->hash) != STORE_PRESENT) // found damaged, and not noted yet
        return object_is_damaged(s, &r->hash, e);
    r->size = row.size;
    if (row.size <= STORE_CHUNK)
        return store_read_chunk(s, &r->hash, 0, &r->small, e);
    room_use(s, &r->hash, true);
    st = place_open(s, &r->hash, &r->fd, e);
    return st == STATUS_NOT_FOUND ? object_is_damaged(s, &r->hash, e) : st;
}

enum status store_reader_open(struct store *s, const struct hash *hash, struct store_reader **out, struct error *e)
{
    struct store_reader *r = mem_alloc(sizeof *r);
    *r = (struct store_reader){.hash = *hash, .fd = -1};
    enum status st = open_file(s, r, e);
    if (st != STATUS_OK) {
        store_reader_destroy(r);
        return st;
    }
    r->sha = r->fd >= 0 ? sha256_create() : NULL;
    *out = r;
    return STATUS_OK;
}

uint64_t store_reader_left(const struct store_reader *r)
{
    return r->size - r->offset;
}

const struct hash *store_reader_hash(const struct store_reader *r)
{
    return &r->hash;
}

static enum status damaged(const struct store_reader *r, struct error *e)
{
    return error_set(e, STATUS_CORRUPT, "OBJECT-DAMAGED", "The stored bytes of %s are damaged or gone",
                     hash_text(&r->hash).s);
}

static enum status read_file(struct store_reader *r, char *data, size_t len, struct error *e)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = sys_pread(r->fd, data + done, len - done, (off_t)(r->offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(e, "Cannot read %s", hash_text(&r->hash).s);
        if (n == 0)
            return damaged(r, e); // it became shorter
        done += (size_t)n;
    }
    sha256_update(r->sha, (struct span){data, len});
    if (r->offset + len < r->size)
        return STATUS_OK;
    struct hash actual = sha256_finish(r->sha);
    return hash_eq(&actual, &r->hash) ? STATUS_OK : damaged(r, e);
}

enum status store_reader_next(struct store_reader *r, void *data, size_t room, size_t *len, struct error *e)
{
    uint64_t left = store_reader_left(r);
    *len = left < room ? (size_t)left : room;
    if (*len == 0)
        return STATUS_OK;
    if (r->fd < 0)
        memcpy(data, r->small.data + r->offset, *len);
    else if (read_file(r, data, *len, e) != STATUS_OK)
        return e->status;
    r->offset += *len;
    return STATUS_OK;
}

void store_reader_destroy(struct store_reader *r)
{
    if (r == NULL)
        return;
    if (r->fd >= 0)
        close(r->fd);
    sha256_destroy(r->sha);
    buf_free(&r->small);
    free(r);
}

void store_reader_failed(struct store *s, const struct hash *hash)
{
    (void)object_is_damaged(s, hash, NULL);
}
