// The owner's thread alone calls these, which is asserted; so a count is enough and no lock is needed.
#include "base/life.h"

void life_begin(struct life *l, void (*destroy)(void *self), void *self)
{
    *l = (struct life){.destroy = destroy, .self = self};
    OWNER_ASSERT(l);
}

void life_hold(struct life *l)
{
    OWNER_ASSERT(l);
    INVARIANT(!l->over);
    l->holds++;
}

static void end_if_over(struct life *l)
{
    if (l->over && l->holds == 0)
        l->destroy(l->self);
}

bool life_let_go(struct life *l)
{
    OWNER_ASSERT(l);
    INVARIANT(l->holds != 0);
    bool wanted = !l->over;
    l->holds--;
    end_if_over(l);
    return wanted;
}

void life_over(struct life *l)
{
    OWNER_ASSERT(l);
    INVARIANT(!l->over);
    l->over = true;
    end_if_over(l);
}
