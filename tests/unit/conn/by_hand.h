// The recorded cases whose frames were not recorded, and what must be known before others are replayed: both made by
// hand for test_recorded_errors.c.
#pragma once

#include "probe.h"

struct scene {
    struct pipe_world *world;
    struct recipes *recipes;
    struct node node;
    struct probe probe;
    char person_hex[65]; // the recorded key that the probe's person key stands for
    char source_hex[65];
    struct pairing_token token;
};

// By the name of the case; NULL if it is replayed from its log, or needs nothing.
typedef void (*by_hand_play)(struct scene *s);
typedef void (*by_hand_prepare)(struct scene *s, const char *email); // email: the peer's
by_hand_play by_hand_find(const char *name);
by_hand_prepare by_hand_preparation(const char *name);
