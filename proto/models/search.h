// Looking for words in what was said, in some or all conversations.
#pragma once

#include "models/chat.h"

struct search_hit {
    struct chat_message message;
    struct topic *topic; // it was said in
};

struct search_result {
    struct search_hit *items; // newest first
    size_t count;
    bool more;        // further back something may be
    struct hash last; // the message looked at last: to go on before it
};

// A text as search_holds wants it. Code BAD-INPUT: there is nothing to look for.
enum status search_wanted(struct model *m, struct span text, struct span *wanted, struct error *e);
bool search_holds(struct span text, struct span wanted);

// A bounded number of messages is looked at; where that ends, more is set, whether something was found or not. Letters
// are compared without regard to case and to how Unicode writes them. before NULL: from the newest. Code BAD-INPUT.
enum status search_messages(struct model *m, const struct topics *topics, struct span text, const struct hash *before,
                            size_t limit, struct search_result *out, struct error *e);
