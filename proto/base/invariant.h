// What the code relies on and no caller may break, asserted in debug and sanitizer builds (TANDEM_INVARIANTS, set by
// cmake/TandemBuild.cmake); in release nothing of it is left.
//
// INVARIANT(condition) ends the program when it does not hold. A struct that belongs to one thread has OWNER as a
// member: the thread that says OWNER_ASSERT(x) first owns it, and every later one has to be the same. OWNER_RELEASE(x)
// hands it over to whoever asserts next.
#pragma once

#ifdef TANDEM_INVARIANTS

struct owner {
    const void *thread; // NULL = nobody yet
};

void owner_assert(const struct owner *o, const char *what, const char *file, int line);
_Noreturn void invariant_failed(const char *what, const char *file, int line);

#define INVARIANT(condition) ((condition) ? (void)0 : invariant_failed(#condition, __FILE__, __LINE__))
#define OWNER struct owner owner;
#define OWNER_ASSERT(x) owner_assert(&(x)->owner, #x, __FILE__, __LINE__)
#define OWNER_RELEASE(x) ((void)((x)->owner.thread = (const void *)0))

#else

#define INVARIANT(condition) ((void)sizeof((condition) ? 1 : 0))
#define OWNER
#define OWNER_ASSERT(x) ((void)sizeof(x))
#define OWNER_RELEASE(x) ((void)sizeof(x))

#endif
