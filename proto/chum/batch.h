// What CHUM_FEED answers (docs/feeds.md): objects by the dozen, each behind what it refers to, as one text:
//
//   EPOCH PLACE more|end|reset LF   the cursor behind the batch; reset: the one asked with is of no use any more
//   R LENGTH LF entry LF            what follows belongs to this root (its entry in the list of roots), or goes on
//   O HASH LENGTH LF text LF        an object
//   I HASH LENGTH LF text LF        an id object
//   B HASH SIZE LF, C HASH SIZE LF  a BLOB or CLOB is named; -1: its bytes are not here
//   E LF                            the root is complete
#pragma once

#include "store/store.h"

enum chum_batch_more { CHUM_BATCH_MORE, CHUM_BATCH_END, CHUM_BATCH_RESET };

struct chum_cursor {
    int64_t epoch;
    int64_t place; // -1: what the end is
};

struct chum_batch_head {
    struct chum_cursor next;
    enum chum_batch_more more;
};

struct chum_batch_item {
    enum { BATCH_ROOT, BATCH_OBJECT, BATCH_FILE, BATCH_ROOT_OVER } what;
    enum link_kind kind; // of objects and files
    struct hash hash;
    struct span text; // the entry, or the object; lives in the batch
    int64_t size;     // of a file; -1: whoever names it does not have it
};

void chum_batch_write_head(const struct chum_batch_head *head, struct buf *out);
void chum_batch_write(const struct chum_batch_item *item, struct buf *out);

// Both move *rest on. STATUS_INVALID "FEED-BROKEN"; *found = false: the batch is over.
enum status chum_batch_read_head(struct span *rest, struct chum_batch_head *head, struct error *e);
enum status chum_batch_read(struct span *rest, struct chum_batch_item *item, bool *found, struct error *e);
