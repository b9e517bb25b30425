// Ctrl-C, SIGTERM and the end of the terminal, while something is half done that must not be left behind.
#pragma once

#include <stdbool.h>

#include "base/error.h"

void interrupt_hold(void); // from now on they are only noted
bool interrupt_came(void);
enum status interrupt_check(struct error *e); // STATUS_CLOSED "CLOSED" once one came
void interrupt_release(void);                 // they do again what they usually do; one that came does it now
