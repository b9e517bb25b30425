// The parts of the table of methods, and short ways to write its rows. Inside ipc/ only: others see it by methods.h.
#pragma once

#include "ipc/methods.h"

struct ipc_table {
    const struct ipc_method *rows;
    size_t count;
};

extern const struct ipc_table IPC_TABLE_SUPERVISOR; // methods_supervisor.c
extern const struct ipc_table IPC_TABLE_NODES;      // methods.c
extern const struct ipc_table IPC_TABLE_INTERNAL;   // methods_supervisor.c

// One row per method. Lists are paged: "limit" bounds a page, "after" is the "next" of the page before.
#define NAMED(name) #name, P_##name
#define TEXT(name, need, max, about)                                                                                   \
    {                                                                                                                  \
        NAMED(name), IPC_TEXT, need, 1, max, NULL, about                                                               \
    }
#define INT(name, need, min, max, about)                                                                               \
    {                                                                                                                  \
        NAMED(name), IPC_INT, need, min, max, NULL, about                                                              \
    }
#define BOOL(name, about)                                                                                              \
    {                                                                                                                  \
        NAMED(name), IPC_BOOL, IPC_OPTIONAL, 0, 0, NULL, about                                                         \
    }
#define HASH(name, need, about)                                                                                        \
    {                                                                                                                  \
        NAMED(name), IPC_HASH, need, 0, 0, NULL, about                                                                 \
    }
#define PREFIX(name, need, about)                                                                                      \
    {                                                                                                                  \
        NAMED(name), IPC_PREFIX, need, 0, 0, NULL, about                                                               \
    }
#define PERSON(name, need, about)                                                                                      \
    {                                                                                                                  \
        NAMED(name), IPC_PERSON, need, 0, 0, NULL, about                                                               \
    }
#define PERSONS(name, need, max, about)                                                                                \
    {                                                                                                                  \
        NAMED(name), IPC_PERSONS, need, 0, max, NULL, about                                                            \
    }
#define CHOICE(name, need, words, about)                                                                               \
    {                                                                                                                  \
        NAMED(name), IPC_CHOICE, need, 0, 0, words, about                                                              \
    }
#define OBJECT(name, need, about)                                                                                      \
    {                                                                                                                  \
        NAMED(name), IPC_OBJECT, need, 0, 0, NULL, about                                                               \
    }
#define ARRAY(name, need, max, about)                                                                                  \
    {                                                                                                                  \
        NAMED(name), IPC_ARRAY, need, 0, max, NULL, about                                                              \
    }
#define PAGE                                                                                                           \
    INT(limit, IPC_OPTIONAL, 1, 1000, "members of one page, default 100"),                                             \
        TEXT(after, IPC_OPTIONAL, 512, "\"next\" of the page before")
#define AS                                                                                                             \
    TEXT(                                                                                                              \
        as, IPC_OPTIONAL, IPC_NAME_MAX,                                                                                \
        "the identity that speaks, by its e-mail, or its person's id or the first 8 or more digits of it; by default " \
        "the main one; without node it is one of the archive's, by default that whose contact or topic is meant")
#define WAIT_MS INT(waitMs, IPC_OPTIONAL, 0, IPC_WAIT_MAX_MS, "when there is nothing: answer at the latest after this")
#define CHAT                                                                                                           \
    TEXT(topic, REQUIRED, 1024,                                                                                        \
         "id, channel, unique name or the beginning of an id, or a person: the conversation with it; AMBIGUOUS-ID if " \
         "both")
#define NODES "archive|sparse"
#define REQUIRED IPC_REQUIRED
#define OPTIONAL IPC_OPTIONAL

enum { MS_DEFAULT = 30000, MS_LONG = 60000, MS_POLL = 45000, KIB = 1024, PIECE_BASE64 = 700 * KIB };
