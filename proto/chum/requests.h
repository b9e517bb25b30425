// What the arguments of the peer's requests say (WIRE.md 10.6, docs/feeds.md). Part of the exporter.
#pragma once

#include "chum/batch.h"
#include "chum/chum.h"
#include "chum/rpc.h"

struct chum_asked { // services 4 to 8: for something by its hash
    enum chum_service service;
    bool is_id;
    const char *refusal; // the code, if it was not shown to the peer
    const char *what;    // it is called in the refusal
};

const struct chum_asked *chum_asked_find(int64_t service); // NULL: another one
// UTC-EHASH, UTC-EIDHASH.
enum status chum_asked_hash(const struct chum_asked *a, const json_t *args, struct hash *hash, struct error *e);
// Of GET_BLOB: in pieces of text or of bytes. CES-GBL2.
enum status chum_asked_encoding(const json_t *args, bool *as_text, struct error *e);
bool chum_asked_cursor(const json_t *args, struct chum_cursor *out); // of FEED
// Of HOLDS: appends them. UTC-EHASH, also if they are too many.
enum status chum_asked_files(const json_t *args, struct hash_list *out, struct error *e);
// The argument at that place, which says what became of what was given. Others say that what was given last is stored.
enum chum_word {
    CHUM_WORD_NONE,
    CHUM_WORD_LEFT,  // something that was given last is not stored
    CHUM_WORD_ALL,   // everything is that ever came
    CHUM_WORD_AHEAD, // it is said with a later question
};
enum chum_word chum_asked_word(const json_t *args, size_t at);
