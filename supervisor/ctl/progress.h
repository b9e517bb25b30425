// One line on the terminal about long work: how much is done, how fast, and how long the rest will take. Nothing where
// standard error is no terminal, with NO_COLOR and with --json; nothing about work that is over within half a second.
#pragma once

#include "supervisor/ctl/ctl.h"

struct progress;

struct progress *progress_begin(const struct ctl *c, const char *what); // of bytes; NULL: there is nothing to be shown
struct progress *progress_counting(const struct ctl *c, const char *what, const char *unit); // of "messages"
void progress_at(struct progress *p, uint64_t done, uint64_t total); // total 0: not known. NULL-safe
void progress_end(struct progress *p);                               // takes the line away. NULL-safe
// How often to ask how far it is: often enough for the line, or so rarely that nobody is bothered.
int progress_interval_ms(const struct progress *p);
