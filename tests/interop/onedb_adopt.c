// onedb-adopt SOURCE SECRET TARGET: adopts a storage directory of the reference, prints what the model layer sees in it
// as one JSON line, and writes it back into TARGET.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "by_topic.h"
#include "io/folder.h"
#include "models/chat.h"
#include "models/contact.h"
#include "models/instance.h"
#include "models/onedb.h"

static void must(enum status status, const struct error *e, const char *what)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "%s: %s %s\n", what, e->code, e->message);
    exit(1);
}

static json_t *messages_with(struct model *m, const struct hash *person)
{
    struct topic topic;
    struct chat_messages page;
    struct error e = {0};
    json_t *texts = json_array();
    if (chat_with(m, person, &topic, &e) != STATUS_OK)
        return texts;
    must(chat_page(m, &topic, 0, NULL, &page, &e), &e, "chat_page");
    for (size_t i = 0; i < page.count; i++)
        json_array_append_new(texts, json_pack("{s:s%, s:s}", "text", page.items[i].text.ptr, page.items[i].text.len,
                                               "verification", verification_name(page.items[i].verification)));
    return texts;
}

static void print(struct model *m, const struct onedb_report *report)
{
    struct contacts contacts;
    struct error e = {0};
    json_t *list = json_array();
    must(contact_list(m, &contacts, &e), &e, "contact_list");
    for (size_t i = 0; i < contacts.count; i++)
        json_array_append_new(list, json_pack("{s:s, s:b, s:o}", "person", hash_text(&contacts.items[i].person).s,
                                              "trusted", contacts.items[i].trusted, "messages",
                                              messages_with(m, &contacts.items[i].person)));
    json_t *all =
        json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:o}", "person", hash_text(&m->self->person).s, "email",
                  report->email, "objects", (json_int_t)report->objects, "heads", (json_int_t)report->heads, "damaged",
                  (json_int_t)report->damaged, "unknown", (json_int_t)report->unknown, "contacts", list);
    char *text = json_dumps(all, JSON_COMPACT);
    puts(text);
    free(text);
    json_decref(all);
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/tandem-adopt-XXXXXX";
    char path[64];
    struct error e = {0};
    struct store *store;
    struct store_report opened;
    struct keychain *keys;
    struct identity *self;
    struct onedb_report report;
    struct onedb_report written;
    if (argc != 4 || mkdtemp(dir) == NULL) {
        fputs("onedb-adopt SOURCE SECRET TARGET\n", stderr);
        return 2;
    }
    crypto_init();
    struct secret secret = secret_copy(argv[2], strlen(argv[2]));
    struct secret node_key = secret_random(32);
    struct recipes *recipes = recipes_create(true);
    snprintf(path, sizeof path, "%s/store", dir);
    must(store_open(&(struct store_options){.dir = path, .kind = STORE_ARCHIVE, .recipes = recipes}, &store, &opened,
                    &e),
         &e, "store_open");
    snprintf(path, sizeof path, "%s/private", dir);
    must(keychain_open(path, &node_key, true, &keys, &e), &e, "keychain_open");
    must(store_begin(store, &e), &e, "store_begin");
    must(onedb_import(store, keys, argv[1], &secret, &report, &e), &e, "onedb_import");
    must(store_commit(store, &e), &e, "store_commit");
    must(instance_reopen(store, keys, &self, &e), &e, "instance_reopen");
    struct model m = {.store = store, .self = self, .arena = arena_create(), .now_ms = clock_wall_ms()};
    print(&m, &report);
    must(onedb_export(&m, keys, argv[3], &secret, NULL, &written, &e), &e, "onedb_export");
    arena_destroy(m.arena);
    identity_destroy(self);
    keychain_close(keys);
    store_close(store);
    recipes_destroy(recipes);
    secret_destroy(&secret);
    secret_destroy(&node_key);
    must(folder_remove_tree(dir, &e), &e, "folder_remove_tree");
    return 0;
}
