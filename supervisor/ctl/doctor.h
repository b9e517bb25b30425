// What the parts of doctor share: checks of the installation as a whole (cmd_doctor.c), of stores that nobody has open
// (doctor_stores.c), of the ways to the archive (doctor_reach.c), and of running nodes (doctor_nodes.c).
#pragma once

#include "supervisor/config.h"
#include "supervisor/ctl/ctl.h"

struct installation;

struct doctor {
    json_t *checks;
    bool healthy;
    json_t *components; // of the running supervisor; NULL = none
    bool degraded;      // the health of a node is: somebody is away, say, which nobody here can mend
};

// The advice is given when the check is not ok.
void doctor_add(struct doctor *d, const char *check, bool ok, const char *message, const char *advice);
// ok if e holds no error; good is said then, else e and the advice, by default the hint of its code.
void doctor_add_error(struct doctor *d, const char *check, const struct error *e, const char *good, const char *advice);
// What could not be asked is not known, which is no finding of its own.
void doctor_add_unknown(struct doctor *d, const char *check, const char *node, const struct error *e);

// status: the result of that method, NULL when no supervisor runs.
void doctor_stores(struct doctor *d, const struct ctl *c, const struct installation *in, const json_t *status);
void doctor_listeners(struct doctor *d, struct ctl *c, const json_t *listeners);
void doctor_port(struct doctor *d, const struct config *config); // before anything runs
// Nodes that are not provisioned are not looked at.
void doctor_nodes(struct doctor *d, struct ctl *c, const json_t *status);
