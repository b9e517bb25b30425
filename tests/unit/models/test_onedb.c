// Storage directories of the reference: written, read back, and refused where they are damaged or not ours to touch.
#include <stdio.h>
#include <unistd.h>

#include "by_topic.h"
#include "crypto/sha256.h"
#include "data/jsonform.h"
#include "io/file.h"
#include "model_node.h"
#include "models/chat.h"
#include "models/contact.h"
#include "models/onedb.h"
#include "models/profile.h"
#include "tests/unit/cmocka_all.h"

struct fixture {
    struct model_node a; // has a contact, messages and a file
    struct model_node b;
    struct secret secret;
    char dir[80];    // exported
    char target[80]; // where it is imported
    struct recipes *recipes;
    struct store *store;
    struct keychain *keys;
};

static void make_history(struct fixture *f)
{
    struct chat_sent sent;
    struct chat_attachment file = {.name = SPAN("f.txt"), .type = SPAN("text/plain")};
    struct store_writer *w;
    bool is_new;
    model_node_pair(&f->a, &f->b);
    struct model *m = model_node_begin(&f->a);
    MUST(profile_set_name(m, SPAN("Ann"), &e));
    MUST(store_writer_create(m->store, false, &w, &e));
    MUST(store_writer_add(w, SPAN("some bytes"), &e));
    MUST(store_writer_finish(w, NULL, &file.hash, &is_new, &e));
    store_writer_destroy(w);
    MUST(chat_send_to(m, &f->b.self->person, SPAN("look"), &file, 1, &sent, &e));
    model_node_end(&f->a);
}

static int setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof *f);
    char path[100];
    model_node_time = 1700000000000;
    model_node_open_plain(&f->a, "ann@test", "ann", "ws://localhost:1");
    model_node_open_plain(&f->b, "ben@test", "ben", NULL);
    make_history(f);
    f->secret = secret_copy("demo-secret", 11);
    snprintf(f->dir, sizeof f->dir, "%s/export", f->a.dir);
    snprintf(f->target, sizeof f->target, "%s/import", f->a.dir);
    f->recipes = recipes_create(true);
    struct store_report report;
    MUST(store_open(&(struct store_options){.dir = f->target, .kind = STORE_ARCHIVE, .recipes = f->recipes}, &f->store,
                    &report, &e));
    snprintf(path, sizeof path, "%s-keys", f->target);
    MUST(keychain_open(path, &f->a.node_key, true, &f->keys, &e));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    keychain_close(f->keys);
    recipes_destroy(f->recipes);
    secret_destroy(&f->secret);
    model_node_close(&f->a);
    model_node_close(&f->b);
    free(f);
    return 0;
}

static struct onedb_report export_it(struct fixture *f)
{
    struct onedb_report report;
    struct model *m = model_node_begin(&f->a);
    MUST(onedb_export(m, f->a.keys, f->dir, &f->secret, NULL, &report, &e));
    model_node_end(&f->a);
    return report;
}

static enum status import_it(struct fixture *f, const char *secret, struct onedb_report *report, struct error *why)
{
    struct secret s = secret_copy(secret, strlen(secret));
    MUST(store_begin(f->store, &e));
    enum status status = onedb_import(f->store, f->keys, f->dir, &s, report, why);
    if (status == STATUS_OK)
        MUST(store_commit(f->store, &e));
    else
        store_rollback(f->store);
    secret_destroy(&s);
    return status;
}

static void comes_back_whole(void **state)
{
    struct fixture *f = *state;
    struct error why = {0};
    struct onedb_report out;
    struct identity *self;
    struct contacts contacts;
    struct topic topic;
    struct chat_messages page;
    struct onedb_report written = export_it(f);
    assert_int_equal(import_it(f, "demo-secret", &out, &why), STATUS_OK);
    assert_int_equal(out.objects, written.objects);
    assert_int_equal(out.heads, written.heads);
    assert_int_equal(out.keys, 2);
    assert_int_equal(out.files, 1);
    assert_int_equal(out.damaged + out.unknown, 0);
    assert_string_equal(out.email, "ann@test");
    MUST(instance_reopen(f->store, f->keys, &self, &e));
    assert_true(hash_eq(&self->person, &f->a.self->person));
    assert_true(secret_eq(&self->person_keys.sign_secret, &f->a.self->person_keys.sign_secret));
    struct model m = {.store = f->store, .self = self, .arena = arena_create(), .now_ms = model_node_time};
    MUST(contact_list(&m, &contacts, &e));
    assert_int_equal(contacts.count, 1);
    assert_true(contacts.items[0].trusted);
    MUST(chat_with(&m, &f->b.self->person, &topic, &e));
    MUST(chat_page(&m, &topic, 0, NULL, &page, &e));
    assert_int_equal(page.count, 1);
    assert_true(span_eq_text(page.items[0].text, "look"));
    assert_int_equal(page.items[0].verification, VERIFICATION_VERIFIED);
    assert_true(page.items[0].attachments[0].present);
    arena_destroy(m.arena);
    identity_destroy(self);
    assert_int_equal(import_it(f, "demo-secret", &out, &why), STATUS_CONFLICT); // only once
    assert_string_equal(why.code, "ALREADY-PROVISIONED");
}

static void needs_the_right_secret(void **state)
{
    struct fixture *f = *state;
    struct error why = {0};
    struct onedb_report out;
    struct span email;
    struct span name;
    export_it(f);
    assert_int_equal(import_it(f, "wrong", &out, &why), STATUS_REFUSED);
    assert_string_equal(why.code, "BAD-SECRET");
    assert_int_equal(instance_recorded(f->store, f->a.m.arena, &email, &name, &why), STATUS_NOT_FOUND);
}

static void path_of(const struct fixture *f, const char *folder, const char *name, char out[400])
{
    snprintf(out, 400, "%s/%s/%s/%s", f->dir, hash_text(&f->a.self->instance).s, folder, name);
}

static void leaves_damaged_files_out(void **state)
{
    struct fixture *f = *state;
    struct error why = {0};
    struct onedb_report out;
    struct hash id;
    struct hash node;
    char path[400];
    export_it(f);
    MUST(profile_own(&f->a.m, &id, &e));
    MUST(store_head(f->a.store, &id, &node, &e));
    path_of(f, "objects", hash_text(&node).s, path);
    assert_int_equal(truncate(path, 20), 0);
    assert_int_equal(import_it(f, "demo-secret", &out, &why), STATUS_OK);
    assert_int_equal(out.damaged, 2); // the node, and the head that leads to it
    assert_int_equal(store_presence(f->store, &node), STORE_ABSENT);
}

// --- recipes of an application ---

static struct value *note_recipe(struct model *m, bool with_text)
{
    static const char json[] = "{\"$type$\":\"Recipe\",\"name\":\"Note\",\"rule\":[{\"itemprop\":\"title\"}%s]}";
    struct buf text = {0};
    struct value *recipe;
    buf_printf(&text, json, with_text ? ",{\"itemprop\":\"text\"}" : "");
    json_t *parsed = json_loads(buf_cstr(&text), 0, NULL);
    MUST(jsonform_read(m->arena, parsed, &recipe, &e));
    json_decref(parsed);
    buf_free(&text);
    return recipe;
}

static void put_file(struct fixture *f, const struct hash *name, struct span text)
{
    char path[400];
    path_of(f, "objects", hash_text(name).s, path);
    MUST(file_write(path, text, 0600, &e));
}

#define NOTE                                                                                                           \
    "<div itemscope itemtype=\"//refin.io/Note\"><span itemprop=\"title\">a</span>"                                    \
    "<span itemprop=\"text\">b</span></div>"

static void reads_objects_by_the_current_recipe(void **state)
{
    struct fixture *f = *state;
    struct error why = {0};
    struct onedb_report out;
    struct hash note = sha256(SPAN(NOTE));
    struct hash recipe;
    bool is_new;
    struct model *m = model_node_begin(&f->a);
    MUST(instance_add_recipe(m, note_recipe(m, false), &recipe, &is_new, &e));
    MUST(model_change(m, note_recipe(m, true), NULL, &e)); // the application was updated since
    model_node_end(&f->a);
    export_it(f);
    put_file(f, &note, SPAN(NOTE));
    assert_int_equal(import_it(f, "demo-secret", &out, &why), STATUS_OK);
    assert_int_equal(out.unknown + out.damaged, 0);
    struct store_info info;
    MUST(store_info(f->store, &note, &info, &e));
    assert_string_equal(info.type, "Note");
}

static void believes_no_recipe_that_is_not_what_its_name_says(void **state)
{
    struct fixture *f = *state;
    struct error why = {0};
    struct onedb_report out;
    struct object o;
    struct hash other = sha256(SPAN("another text"));
    export_it(f);
    MUST(object_make(f->recipes, f->a.m.arena, note_recipe(&f->a.m, true), MICRODATA_OBJECT, &o, &e));
    put_file(f, &other, o.microdata);
    assert_int_equal(import_it(f, "demo-secret", &out, &why), STATUS_OK);
    assert_int_equal(out.damaged, 1);
    assert_null(recipes_find(f->recipes, SPAN("Note")));
}

static void says_when_there_is_nothing_to_adopt(void **state)
{
    struct fixture *f = *state;
    struct error why = {0};
    struct onedb_report out;
    assert_int_equal(import_it(f, "demo-secret", &out, &why), STATUS_NOT_FOUND);
    char path[400];
    export_it(f);
    path_of(f, "vheads", hash_text(&f->a.self->instance).s, path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(import_it(f, "demo-secret", &out, &why), STATUS_CORRUPT);
    assert_string_equal(why.code, "STORE-CORRUPT");
}

static void exports_into_empty_folders_only(void **state)
{
    struct fixture *f = *state;
    struct error why = {0};
    struct onedb_report out;
    export_it(f);
    struct model *m = model_node_begin(&f->a);
    assert_int_equal(onedb_export(m, f->a.keys, f->dir, &f->secret, NULL, &out, &why), STATUS_EXISTS);
    model_node_end(&f->a);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(comes_back_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(needs_the_right_secret, setup, teardown),
        cmocka_unit_test_setup_teardown(leaves_damaged_files_out, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_objects_by_the_current_recipe, setup, teardown),
        cmocka_unit_test_setup_teardown(believes_no_recipe_that_is_not_what_its_name_says, setup, teardown),
        cmocka_unit_test_setup_teardown(says_when_there_is_nothing_to_adopt, setup, teardown),
        cmocka_unit_test_setup_teardown(exports_into_empty_folders_only, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
