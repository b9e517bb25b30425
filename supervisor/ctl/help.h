// Help texts, all made from the table of commands.
#pragma once

#include "supervisor/ctl/ctl.h"

// With --json each is one document: a command as {command, arguments, summary, details, example, timeoutS, options:
// [{name, letter, value, about}], result}, several of them as {commands}.
void help_overview(const struct ctl *c);
bool help_takes_node(const struct ctl_command *c);               // --node means something to it
bool help_wants_path(const struct ctl_command *c, int argument); // its usage has FILE or DIR there
void help_command(const struct ctl *c, const struct ctl_command *command);
// Is it the first word of several commands and no command itself?
bool help_is_group(const char *first);
void help_group(const struct ctl *c, const char *first);
void help_subcommands(const char *first, char *out, size_t room); // of a group: "list, send"
// The command that was meant by what was typed: second is NULL or the word behind it. NULL: no name is like it.
const char *help_nearest(const char *first, const char *second);
void help_ending(const char *word, char *out, size_t room); // commands of two words: "'chat send', 'topic send'"
