// What a process takes over from whoever started it, and would take harm from. Call it first in main.
#pragma once

// Closed standard streams are opened on /dev/null for reading, so that no socket or database gets their numbers:
// input is at its end and output fails, as before. No signal stays blocked, the end of a child is told, and a file
// that reaches the limit of its size is an error like a full disk.
void inherited_settle(void);
