// Control methods that write reference storage directories: onedb.export. (Adopting one is part of node.provision.)
#pragma once

#include "node/node.h"

void node_onedb_register(struct node *n);
