// Links and sessions are kept in locked memory and compared in constant time: whoever guesses learns nothing from how
// long the answer takes.
#include "supervisor/ui/pass.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"

struct pass {
    struct secret link; // no data: none
    struct secret sessions[PASS_SESSIONS];
    size_t next; // the place of the next session
};

struct pass *pass_create(void)
{
    return mem_alloc(sizeof(struct pass));
}

void pass_destroy(struct pass *p)
{
    if (p == NULL)
        return;
    secret_destroy(&p->link);
    for (size_t i = 0; i < PASS_SESSIONS; i++)
        secret_destroy(&p->sessions[i]);
    free(p);
}

static bool is(const struct secret *s, struct span said)
{
    return s->data != NULL && said.len == s->len &&
           bytes_eq_constant_time((struct span){(const char *)s->data, s->len}, said);
}

static void draw(struct secret *s, char *out)
{
    random_text(out, PASS_LENGTH);
    secret_destroy(s);
    *s = secret_copy(out, PASS_LENGTH);
}

void pass_new_link(struct pass *p, char *out)
{
    draw(&p->link, out);
}

static bool is_session(const struct pass *p, struct span said)
{
    bool found = false;
    for (size_t i = 0; i < PASS_SESSIONS; i++)
        found = is(&p->sessions[i], said) || found;
    return found;
}

enum status pass_check(const struct pass *p, struct span link, struct span session, struct error *e)
{
    if (link.len != 0 ? is(&p->link, link) : is_session(p, session))
        return STATUS_OK;
    return error_set(e, STATUS_REFUSED, "LINK-USED", "this link was used already, or is none of this program");
}

void pass_use_link(struct pass *p, char *out)
{
    secret_destroy(&p->link);
    draw(&p->sessions[p->next], out);
    p->next = (p->next + 1) % PASS_SESSIONS;
}
