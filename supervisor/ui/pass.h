// Who may come in: a link opens the door once and becomes a session, which the page keeps in its memory.
#pragma once

#include "base/bytes.h"
#include "base/error.h"

enum { PASS_LENGTH = 43, PASS_SESSIONS = 8 }; // characters of 6 bits each; sessions beyond take the oldest one's place

struct pass;

struct pass *pass_create(void);
void pass_destroy(struct pass *p); // NULL-safe

// Another link; the one before is of no use any more. out: PASS_LENGTH characters and a zero, which the caller wipes.
void pass_new_link(struct pass *p, char *out);
// Whether somebody may come in with this link, or where that is empty with this session. LINK-USED.
enum status pass_check(const struct pass *p, struct span link, struct span session, struct error *e);
void pass_use_link(struct pass *p, char *out); // one that was checked, which opens nothing more; out is its session
