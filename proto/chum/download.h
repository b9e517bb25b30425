// One BLOB or CLOB on its way in (WIRE.md 9.4, 9.5): pieces go straight to the store's writer, never whole in memory.
#pragma once

#include "chum/fetch.h"

struct chum_download;

// Called once, on the loop: the file is stored under the expected hash, or why not. Not called after the fetch ended.
typedef void (*chum_download_done)(void *ctx, enum status status, const struct error *why);

// A few at a time per session, the others wait their turn. A BLOB of which nothing arrives is asked for again as text:
// the reference cannot send binary streams, and text works when the content is valid UTF-8.
struct chum_download *chum_download_begin(struct chum_fetch *f, const struct hash *hash, bool is_clob,
                                          chum_download_done done, void *ctx);
// The same; but what is too big to be taken from an own node now (chum_fetch_leaves) stays there: then left is called
// instead of done, with its size.
typedef void (*chum_download_left)(void *ctx, uint64_t size);
struct chum_download *chum_download_or_leave(struct chum_fetch *f, const struct hash *hash, bool is_clob,
                                             chum_download_done done, chum_download_left left, void *ctx);
void chum_download_drop(struct chum_download *d); // no call follows; NULL-safe
