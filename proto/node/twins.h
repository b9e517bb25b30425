// An instance that is there twice (conn/runs.h): telling of it. Loop thread.
#pragma once

#include <jansson.h>

#include "conn/runs.h"

struct peers;
struct twins;

struct twins *twins_create(struct peers *p);
void twins_destroy(struct twins *t);                     // NULL-safe
const struct runs *twins_runs(const struct twins *t);    // for naming ours
void twins_ready(struct twins *t, const struct conn *c); // a known instance has proved itself
void twins_closed(struct twins *t, const struct conn *c);
bool twins_of_ours(const struct twins *t); // this node or the other own one; noticed lately
size_t twins_count(const struct twins *t); // instances, ours among them, noticed lately
