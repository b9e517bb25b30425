// Lines of the log to the journal of systemd, each with its fields: journalctl -t tandem-archive TANDEM_EVENT=chat.sent
//
// The setting log.journal says whether: auto = where standard error goes there (JOURNAL_STREAM), yes, no, or the path
// of another journal's socket. What the journal does not take at once is in the log files only.
#pragma once

#include "base/bytes.h"
#include "base/error.h"

struct journal;

// NULL with STATUS_OK: not wanted. Before the walls: nothing is opened later.
enum status journal_open(const char *setting, struct journal **out, struct error *e);
void journal_close(struct journal *j);                  // NULL-safe
void journal_line(struct journal *j, struct span line); // one line of JSON, without its end. Thread-safe
