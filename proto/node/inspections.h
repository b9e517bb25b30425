// The group "debug" (WIRE.md 11): a known contact looks at what it may see. Strangers are refused.
#pragma once

#include "conn/conn.h"

struct peers;
struct inspections;

struct inspections *inspections_create(struct peers *p);
void inspections_destroy(struct inspections *is);               // NULL-safe
void inspections_serve(struct inspections *is, struct conn *c); // somebody whom the caller knows
