// store.verify, node.repair: the store of a node is compared with what it says it is, and put right.
#pragma once

struct node;

void scrub_register(struct node *n);
void scrub_stop(struct node *n); // the node closes: what is under way ends soon, and without an answer
