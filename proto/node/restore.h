// The end of being restored (models/restoring.h): everything that the other own node has to give has come.
#pragma once

struct peers;

// Does nothing for a node that lost nothing. Afterwards node.status says so, and the supervisor tells the other node.
void restore_end(struct peers *p);
