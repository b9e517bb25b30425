// What channel_since.c takes from channel_read.c: entries and elements on their way into a page or into what is new.
#pragma once

#include "models/channel.h"

struct entries { // grows in the model's arena
    struct channel_entry *items;
    size_t count;
    size_t cap;
};

struct channel_entry *entries_add(struct model *m, struct entries *list); // to be filled in
void entry_take(struct channel_entry *out, const struct hash *channel, const struct list_element *element);
// Fills in types, and unless they stay unverified authors and verification.
enum status entries_judge(struct model *m, struct channel_entry *items, size_t count, bool unverified, struct error *e);

struct elements { // the owner frees the items
    struct list_element *items;
    size_t count;
    size_t cap;
};

void elements_add(struct elements *all, const struct list_element *element);
bool element_is_older(const struct list_element *a, const struct list_element *b);

// The heads of the channels' lists, in the arena; zero: an empty list, or a channel whose own object is lost here, of
// which *holes is told.
enum status channel_heads(struct model *m, const struct hash *channels, size_t count, struct hash **heads,
                          size_t *holes, struct error *e);
