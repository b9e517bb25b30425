// How long operations are remembered, and what was noted for settings.
#pragma once

#include "store/store.h"

enum status op_expire(struct store *s, int64_t now_ms, struct error *e);
enum status op_write_notes(struct store *s, struct error *e); // in a transaction
