// What makes a node the archive: it keeps every object as a file, listens for WebSocket connections, and registers at
// relays.
#pragma once

#include "node/node.h"

extern const struct node_kind ARCHIVE_NODE;
