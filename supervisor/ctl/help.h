// Help texts, all made from the table of commands.
#pragma once

#include "supervisor/ctl/ctl.h"

void help_overview(void);
bool help_takes_node(const struct ctl_command *c); // --node means something to it
void help_command(const struct ctl_command *command);
// "tandem chat" alone, or "tandem chat --help": the first word of several commands and no command itself.
bool help_is_group(const char *first, const char *second);
void help_group(const char *first);
void help_subcommands(const char *first, char *out, size_t room); // of a group: "list, send"
// The command whose name is most like what was typed.
const char *help_nearest(const char *first, const char *second);
