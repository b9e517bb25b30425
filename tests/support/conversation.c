#include "conversation.h"

enum { PASSES = 4, APART_MS = 1000 };

int conversation_begin(void **state)
{
    model_pair_begin(state);
    struct model_pair *p = *state;
    model_node_pair(&p->a, &p->b);
    return 0;
}

struct chat_sent say(struct model_node *from, const struct model_node *to, const char *text)
{
    struct chat_sent sent;
    model_node_time += APART_MS;
    struct model *m = model_node_begin(from);
    MUST(chat_send_to(m, &to->self->person, span_of(text), NULL, 0, &sent, &e));
    model_node_end(from);
    return sent;
}

void sync_both(struct model_pair *p)
{
    for (int i = 0; i < PASSES; i++) {
        model_node_sync(&p->a, &p->b);
        model_node_sync(&p->b, &p->a);
    }
}

struct chat_messages read_all(struct model_node *n, const struct model_node *with)
{
    struct topic topic;
    struct chat_messages page;
    MUST(chat_with(&n->m, &with->self->person, &topic, &e));
    MUST(chat_page(&n->m, &topic, 2 * CHANNEL_PAGE, NULL, &page, &e));
    return page;
}
