// Control methods that write reference storage directories: onedb.export, and job.* to watch that. (Adopting one is
// part of node.provision.)
#pragma once

#include "node/node.h"

struct works *node_works_create(struct node *n); // the node's long work
void node_onedb_register(struct node *n);
