// What the two halves of doctor share: checks of the installation's files (cmd_doctor.c) and of its running nodes
// (doctor_nodes.c).
#pragma once

#include "supervisor/ctl/ctl.h"

struct doctor {
    json_t *checks;
    bool healthy;
};

// The advice is given when the check is not ok.
void doctor_add(struct doctor *d, const char *check, bool ok, const char *message, const char *advice);
// ok if e holds no error; good is said then, else e and the hint of its code.
void doctor_add_error(struct doctor *d, const char *check, const struct error *e, const char *good);

// status: the result of that method. Nodes that are not provisioned are not looked at.
void doctor_nodes(struct doctor *d, struct ctl *c, const json_t *status);
