// A thread is told from another by the address of a variable that each has its own of.
#include "base/invariant.h"

#ifdef TANDEM_INVARIANTS

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static _Thread_local char mark;

void invariant_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: this must hold: %s\n", file, line, what);
    abort();
}

// Who only looks at an object owns it just the same, so the first may have a pointer to const.
void owner_assert(const struct owner *o, const char *what, const char *file, int line)
{
    if (o->thread == NULL)
        ((struct owner *)(uintptr_t)o)->thread = &mark;
    if (o->thread == &mark)
        return;
    fprintf(stderr, "%s:%d: %s belongs to another thread\n", file, line, what);
    abort();
}

#else

typedef int invariant_nothing; // a file may not be empty

#endif
