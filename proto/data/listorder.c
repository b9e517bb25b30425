// The verdict is about an entry and all that lies below it, none of which ever changes: it is kept for the head and for
// each mark on the way, so that a list that was merged into is read down to a mark below the place only. Where an entry
// is lost, what it says is not known yet; above it nothing is kept.
#include "data/listorder.h"

struct walk {
    struct list_iterator *it;
    struct list_element last;
    bool has_last;
    size_t holes;
    struct hash_list passed; // what the verdict is about: the head and marks below it
};

static enum list_order look_at(struct walk *w, const struct list_marks *marks, const struct list_element *element)
{
    struct list_key above = list_element_key(&w->last);
    struct list_key key = list_element_key(element);
    bool falls = !w->has_last || list_key_compare(&key, &above) < 0;
    enum list_order known = marks != NULL ? list_marks_order(marks, &element->entry) : LIST_ORDER_UNKNOWN;
    return falls ? known : LIST_OUT_OF_ORDER;
}

static void pass(struct walk *w, const struct list_element *element)
{
    size_t holes = list_iterator_holes(w->it);
    if (holes != w->holes)
        w->passed.count = 0;
    if (list_is_mark(&element->entry) || (!w->has_last && holes == 0))
        hash_list_add(&w->passed, &element->entry);
    w->holes = holes;
    w->last = *element;
    w->has_last = true;
}

enum status list_is_in_order(const struct version_source *s, const struct hash *head, bool *in_order, size_t *looked,
                             struct error *e)
{
    *looked = 0;
    struct walk w = {.it = list_iterator_create(s, head, 1, false)};
    enum list_order order = LIST_ORDER_UNKNOWN;
    enum status status = STATUS_OK;
    list_iterator_step_over(w.it);
    while (order == LIST_ORDER_UNKNOWN) {
        struct list_element element;
        bool end;
        status = list_iterator_next(w.it, &element, &end, e);
        if (status != STATUS_OK || end)
            break;
        ++*looked;
        order = look_at(&w, s->marks, &element);
        pass(&w, &element);
    }
    if (order == LIST_ORDER_UNKNOWN)
        order = LIST_IN_ORDER;
    if (status == STATUS_OK && list_iterator_holes(w.it) != w.holes)
        w.passed.count = 0;
    for (size_t i = 0; status == STATUS_OK && s->marks != NULL && i < w.passed.count; i++)
        list_marks_set_order(s->marks, &w.passed.items[i], order);
    *in_order = order == LIST_IN_ORDER;
    hash_list_free(&w.passed);
    list_iterator_destroy(w.it);
    return status;
}
