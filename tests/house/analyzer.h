// Included first where clang's analyzer looks at the product: it knows one file at a time, and so not what error_set of
// another one returns. Without that every `return error_set(e, STATUS_…)` might be STATUS_OK.
#pragma once

#include "base/error.h"

#define error_set(e, status, ...) ((void)(error_set)(e, status, __VA_ARGS__), (status))
