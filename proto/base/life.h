// How work outlives whoever asked for it.
//
// An object that waits for work elsewhere (a job of the store thread or of the pool) may lose its purpose meanwhile:
// its connection closes, the user gives up. The work still has a pointer to it. So the object lives until both are
// over:
//
//   life_begin(&x->life, destroy, x);     when it is made
//   life_hold(&x->life);                  before work that is given x begins
//   if (!life_let_go(&x->life)) return;   first thing when the work is back, on the object's own thread
//   life_over(&x->life);                  when it has no purpose any more
//
// destroy is called once, when the object's purpose is over and nothing holds it, by life_over or by the last
// life_let_go. Everything here happens on the thread that owns the object.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/invariant.h"

struct life {
    void (*destroy)(void *self);
    void *self;
    size_t holds; // work under way
    bool over;
    OWNER
};

void life_begin(struct life *l, void (*destroy)(void *self), void *self);
void life_hold(struct life *l); // not once it is over: nothing begins then
// false: the purpose is over. The object must not be touched any more, it may be gone.
bool life_let_go(struct life *l);
void life_over(struct life *l); // once; the object must not be touched afterwards
