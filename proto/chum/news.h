// Telling the peer of a session that there is something new for it (docs/feeds.md), so that it asks at once and need
// not ask again and again. Loop thread.
//
// An own node is told of every change. A contact says in its GET_PROTOCOL_VERSION whether it listens, in an argument
// that the reference ignores, and hears only of what it may see: that something else happened here is not its business.
//
// Who says "news":2 is not waited for to answer: it is told again of what comes after its next question for what is
// new.
#pragma once

#include <jansson.h>

#include "chum/fetch.h"

struct chum_news;

struct chum_news_options {
    struct chum_fetch *fetch; // of the session; borrowed for as long as this lives
    bool own;                 // the peer is an own node
    void *ctx;
    uint64_t (*answered)(void *ctx); // the version of the list the peer was given last (store_roots_version)
};

struct chum_news *chum_news_create(const struct chum_news_options *options);
void chum_news_begin(struct chum_news *n);   // the peer can be told from now on
void chum_news_changed(struct chum_news *n); // something in the store has changed
void chum_news_asked(struct chum_news *n);   // by the peer, for what is new
void chum_news_end(struct chum_news *n);     // before the session goes; nothing is called afterwards

// What the arguments of GET_PROTOCOL_VERSION say: `[{"news":2,"feeds":1,"zstd":1,"sums":1}]`. Other members and newer
// values are fine.
struct span chum_news_greeting(bool feeds);              // ours; feeds: there is one
bool chum_news_wants_no_answer(const json_t *arguments); // those of NEW_ACCESSIBLE_ROOT_EVENT
bool chum_news_unpacks(const json_t *arguments);         // the peer takes packed batches, with our dictionary (pack.h)
void chum_news_greeted(struct chum_news *n, const json_t *arguments);
bool chum_news_have_feed(const struct chum_news *n); // the peer answers FEED
bool chum_news_have_sums(const struct chum_news *n); // and SUMS and RANGES
bool chum_news_are_told(const struct chum_news *n);  // the peer tells us, too
