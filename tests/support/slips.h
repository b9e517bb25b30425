// One wrong thing that the hostile peer says in the place of a right one, below the signatures: what an honest sender's
// code cannot say. The linker puts these functions in the place of the ones they are named after.
//
//   key        the ephemeral key has 5 bytes (WIRE.md 4.2)
//   challenge  the challenge has 8 bytes (WIRE.md 5.4)
//   padding    the plaintext of a frame announces more filler than it has (WIRE.md 3.3)
//   frame      one message below fragmentation (WIRE.md 3.4) is replaced by the bytes given
//   message    the next message of conn_steps.c, counted from the group, is replaced by the bytes given
#pragma once

#include <jansson.h>

// {"do":"slip","in":"key|challenge|padding"} for the next one that goes out, {"do":"slip","in":"frame","text":TEXT or
// "hex":BYTES} for the next frame, {"do":"slip","in":"message","of":N,"text":TEXT or "hex":BYTES} for the N-th message
// of the next connection: 1 the group, 2 the person, 3 the keys, 4 the response, 5 the challenge, 6 the instance.
void slips_plan(const json_t *command);
void slips_begin_connection(void); // counts anew
