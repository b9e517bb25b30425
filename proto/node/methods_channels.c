// Control methods on channels: channel.*. One id may be several channels, by owner: without "owner" writing means our
// own, and reading all of them. An entry that no answer can hold, or that is lost, has its place in the page without
// its object, so that what is older can be reached.
#include "data/jsonform.h"
#include "models/channel.h"
#include "models/names.h"
#include "node/author.h"
#include "node/json.h"
#include "node/methods.h"
#include "node/page.h"
#include "node/params.h"

enum { ENTRY_MAX = IPC_MESSAGE_MAX - (64 << 10) };

// The parameter "owner": a person id, "none", or left out. *owner points to storage, or is NULL for "none".
static enum status read_owner(struct node_job *job, const struct identity *otherwise, struct hash *storage,
                              const struct hash **owner, struct error *e)
{
    const char *text = ipc_request_text(job->request, P_owner);
    *owner = storage;
    if (text == NULL) {
        *storage = otherwise->person;
    } else if (span_eq_text(SPAN("none"), text)) {
        *owner = NULL;
    } else {
        return names_find(&job->model, span_of(text), storage, e);
    }
    return STATUS_OK;
}

static enum status channel_create_work(struct node_job *job, struct model *m, struct error *e)
{
    struct hash storage;
    const struct hash *owner;
    struct hash channel;
    enum status st = read_owner(job, m->self, &storage, &owner, e);
    if (st == STATUS_OK)
        st = channel_create(m, node_job_text(job, P_id), owner, &channel, e);
    if (st == STATUS_OK)
        job->result = json_pack("{s:o}", "channel", node_json_hash(&channel));
    return st;
}

static enum status channel_post_work(struct node_job *job, struct model *m, struct error *e)
{
    struct hash storage;
    const struct hash *owner;
    struct hash channel;
    struct value *object;
    struct channel_entry entry;
    struct channel_post options = {.timestamp = (double)ipc_request_int(job->request, P_timestamp, 0)};
    struct identity *author = NULL;
    enum status st = node_job_author(job, m, &author, e);
    options.author = author;
    if (st == STATUS_OK)
        st = read_owner(job, author != NULL ? author : m->self, &storage, &owner, e);
    if (st == STATUS_OK)
        st = channel_id_hash(m, node_job_text(job, P_id), owner, &channel, e);
    if (st == STATUS_OK)
        st = jsonform_read(m->arena, ipc_request_json(job->request, P_object), &object, e);
    if (st == STATUS_OK)
        st = channel_post(m, &channel, object, &options, &entry, e);
    if (st == STATUS_OK)
        job->result = json_pack("{s:o, s:o}", "hash", node_json_hash(&entry.data), "channel", node_json_hash(&channel));
    identity_destroy(author);
    return st;
}

static enum status choose_channels(struct node_job *job, struct model *m, struct hash_list *out, struct error *e)
{
    struct span id = node_job_text(job, P_id);
    if (ipc_request_text(job->request, P_owner) != NULL) {
        struct hash storage;
        const struct hash *owner;
        struct hash channel;
        enum status st = read_owner(job, m->self, &storage, &owner, e);
        if (st == STATUS_OK)
            st = channel_id_hash(m, id, owner, &channel, e);
        if (st == STATUS_OK)
            hash_list_add(out, &channel);
        return st;
    }
    struct channels channels = {0};
    enum status st = channel_find(m, id, &channels, e);
    for (size_t i = 0; st == STATUS_OK && i < channels.count; i++)
        hash_list_add(out, &channels.items[i].id_hash);
    if (st == STATUS_OK && channels.count == 0)
        st = error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "there is no channel with the id " SPAN_FMT, SPAN_ARG(id));
    return st;
}

// What no answer could hold does not hide what is older.
static json_t *show_object(const struct value *object, bool *truncated)
{
    json_t *shown = jsonform_write(object);
    *truncated = node_json_size(shown) > ENTRY_MAX;
    if (!*truncated)
        return shown;
    json_decref(shown);
    return json_null();
}

// What is lost is not shown, and said to be.
static enum status show_entry(struct model *m, const struct channel_entry *entry, json_t *items, size_t *holes,
                              struct error *e)
{
    struct channel channel;
    struct object o;
    enum status st = channel_get(m, &entry->channel, &channel, e);
    if (st == STATUS_OK)
        st = store_get_object(m->store, &entry->data, m->arena, &o, e);
    if (st == STATUS_CORRUPT || (st == STATUS_NOT_FOUND && store_is_wanted(m->store, &entry->data))) {
        ++*holes;
        json_array_append_new(items, json_pack("{s:o, s:n, s:I, s:n}", "hash", node_json_hash(&entry->data), "author",
                                               "timestamp", (json_int_t)entry->timestamp, "object"));
        error_clear(e);
        return STATUS_OK;
    }
    if (st != STATUS_OK)
        return st;
    bool truncated;
    json_t *object = show_object(o.value, &truncated);
    json_array_append_new(items, json_pack("{s:o, s:o, s:o, s:I, s:o, s:b, s:s}", "hash", node_json_hash(&entry->data),
                                           "author", entry->has_author ? node_json_hash(&entry->author) : json_null(),
                                           "owner", node_json_hash(&channel.owner), "timestamp",
                                           (json_int_t)entry->timestamp, "object", object, "truncated", truncated,
                                           "verification", verification_name(entry->verification)));
    return STATUS_OK;
}

// As many as one answer holds.
static enum status show_entries(struct model *m, const struct channel_entries *entries, json_t *items, size_t *holes,
                                struct error *e)
{
    size_t bytes = 0;
    enum status st = STATUS_OK;
    for (size_t i = 0; st == STATUS_OK && i < entries->count && bytes <= IPC_PAGE_MAX; i++) {
        st = show_entry(m, &entries->items[i], items, holes, e);
        bytes += st == STATUS_OK ? node_json_size(json_array_get(items, i)) : 0;
        if (bytes > IPC_PAGE_MAX && i > 0)
            json_array_remove(items, i);
    }
    return st;
}

static enum status channel_read_work(struct node_job *job, struct model *m, struct error *e)
{
    struct hash_list channels = {0};
    struct channel_entries entries = {0};
    struct hash before;
    size_t holes = 0;
    const char *after = ipc_request_text(job->request, P_after);
    bool given = after != NULL && hash_parse(span_of(after), &before);
    json_t *items = json_array();
    enum status st = choose_channels(job, m, &channels, e);
    struct channel_query query = {.channels = channels.items,
                                  .channel_count = channels.count,
                                  .limit = (size_t)ipc_request_int(job->request, P_limit, 100),
                                  .before = given ? &before : NULL};
    if (st == STATUS_OK)
        st = channel_read(m, &query, &entries, e);
    if (st == STATUS_OK)
        st = show_entries(m, &entries, items, &holes, e);
    if (st == STATUS_OK) {
        size_t fit = json_array_size(items);
        job->result = json_pack("{s:O}", "items", items);
        if (entries.holes + holes != 0)
            json_object_set_new(job->result, "holes", json_integer((json_int_t)(entries.holes + holes)));
        if (entries.more || fit < entries.count)
            json_object_set_new(job->result, "next", node_json_hash(&entries.items[fit - 1].creation_time));
    }
    json_decref(items);
    hash_list_free(&channels);
    return st;
}

static enum status channel_list_work(struct node_job *job, struct model *m, struct error *e)
{
    struct channels channels = {0};
    enum status st = channel_list(m, &channels, e);
    if (st != STATUS_OK)
        return st;
    json_t *items = json_array();
    for (size_t i = 0; i < channels.count; i++) {
        const struct channel *c = &channels.items[i];
        json_array_append_new(items, json_pack("{s:o, s:o, s:o}", "id", node_json_text(c->id), "owner",
                                               node_json_hash(&c->owner), "channel", node_json_hash(&c->id_hash)));
    }
    node_job_page(job, items);
    return STATUS_OK;
}

const struct node_method NODE_METHODS_CHANNELS[] = {
    {"channel.create", channel_create_work, NULL},
    {"channel.post", channel_post_work, NULL},
    {"channel.read", channel_read_work, NULL},
    {"channel.list", channel_list_work, NULL},
    {NULL, NULL, NULL},
};
