// How long operations are remembered.
#pragma once

#include "store/store.h"

enum status op_expire(struct store *s, int64_t now_ms, struct error *e);
