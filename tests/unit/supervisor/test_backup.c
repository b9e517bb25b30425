// What a backup is made of: manifests, packs and vaults, whole and damaged.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/stream.h"
#include "io/file.h"
#include "io/folder.h"
#include "io/io_fault.h"
#include "supervisor/backup/pack.h"
#include "supervisor/backup/vault.h"

enum { SIZES = 6 };

static const size_t sizes[SIZES] = {0, 1, 300, STREAM_PIECE, STREAM_PIECE + 1, 3 * STREAM_PIECE - 1};

struct world {
    char dir[64];
    struct vault vault;
    struct backup_manifest m; // with an object of each size
};

static struct hash name_of(size_t i)
{
    struct hash h = {{0}};
    h.b[0] = (uint8_t)(i + 1);
    return h;
}

static char byte_of(size_t record, size_t at)
{
    return (char)(record * 31 + at * 7 + at / 251);
}

static void add_record(struct pack_writer *w, struct backup_manifest *m, size_t i)
{
    struct backup_object o = {.hash = name_of(i), .nodes = (uint8_t)(1 + i % 3), .size = sizes[i]};
    struct pack_about about = about_object(&o.hash);
    char *bytes = mem_alloc(sizes[i] + 1);
    for (size_t k = 0; k < sizes[i]; k++)
        bytes[k] = byte_of(i, k);
    assert_int_equal(pack_begin(w, about_span(&about), NULL), STATUS_OK);
    for (size_t at = 0; at < sizes[i];) { // in pieces of another size than those that are sealed
        size_t n = sizes[i] - at < 50000 ? sizes[i] - at : 50000;
        assert_int_equal(pack_add(w, (struct span){bytes + at, n}, NULL), STATUS_OK);
        at += n;
    }
    assert_int_equal(pack_end(w, m, &o.at, NULL), STATUS_OK);
    manifest_add_object(m, &o);
    free(bytes);
}

static int begin(void **state)
{
    struct world *w = mem_alloc(sizeof *w);
    struct secret key = secret_random(STREAM_KEY);
    strcpy(w->dir, "/tmp/tandem-backup-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    assert_int_equal(vault_create(w->dir, SPAN("{}"), SPAN("sealed"), &key, &w->vault, NULL), STATUS_OK);
    struct pack_writer *writer = pack_writer_create(w->vault.path, &w->vault.key, 1);
    w->m.number = 1;
    w->m.at_ms = 1764500000000;
    for (size_t i = 0; i < SIZES; i++)
        add_record(writer, &w->m, i);
    struct backup_file *f = manifest_add_file(&w->m, "archive/store.db");
    const struct backup_part part = {.name = name_of(9), .size = 300, .at = w->m.objects[2].at};
    for (int i = 0; i < 5; i++)
        manifest_add_part(f, &part);
    assert_int_equal(pack_finish(writer, &w->m, NULL), STATUS_OK);
    manifest_sort(&w->m);
    assert_int_equal(vault_write(&w->vault, &w->m, NULL), STATUS_OK);
    pack_writer_destroy(writer);
    *state = w;
    return 0;
}

static int end(void **state)
{
    struct world *w = *state;
    fault_script(NULL);
    folder_remove_tree(w->dir, NULL);
    vault_free(&w->vault);
    manifest_free(&w->m);
    free(w);
    return 0;
}

struct checking {
    size_t record;
    size_t at;
};

static enum status check_bytes(struct span bytes, void *arg, struct error *e)
{
    struct checking *c = arg;
    (void)e;
    for (size_t i = 0; i < bytes.len; i++)
        assert_int_equal(bytes.ptr[i], byte_of(c->record, c->at + i));
    c->at += bytes.len;
    return STATUS_OK;
}

static enum status read_record(struct world *w, size_t i, struct error *e)
{
    struct hash name = name_of(i);
    struct pack_about about = about_object(&name);
    struct checking c = {.record = i};
    const struct backup_object *o = manifest_object(&w->m, &name);
    enum status status =
        pack_read(w->vault.path, &w->vault.key, &w->m, &o->at, o->size, about_span(&about), check_bytes, &c, e);
    if (status == STATUS_OK)
        assert_int_equal(c.at, o->size);
    return status;
}

static void records_of_all_sizes_come_back(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < SIZES; i++)
        assert_int_equal(read_record(w, i, NULL), STATUS_OK);
    for (size_t i = 0; i < SIZES; i++)
        assert_int_equal(stream_size(sizes[i]), (i + 1 < SIZES ? w->m.objects[i + 1].at.offset : w->m.packs[0].bytes) -
                                                    w->m.objects[i].at.offset);
}

static void generations_that_came_since_are_seen(void **state)
{
    struct world *w = *state;
    struct vaults found;
    assert_int_equal(vaults_find(w->dir, &found, NULL), STATUS_OK);
    assert_int_equal(vault_last(&found.items[0]), 1);
    w->m.number = 2;
    assert_int_equal(vault_write(&w->vault, &w->m, NULL), STATUS_OK);
    assert_int_equal(vault_look_again(&found.items[0], NULL), STATUS_OK);
    assert_int_equal(found.items[0].count, 2);
    assert_int_equal(vault_last(&found.items[0]), 2);
    vaults_free(&found);
}

static void flip(const char *path, uint64_t at)
{
    unsigned char byte;
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
    byte ^= 0x40;
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    close(fd);
}

// The beginning, the first and last byte of every piece and tag, and some between.
static void every_region_of_a_pack_counts(void **state)
{
    struct world *w = *state;
    char *path = pack_path(w->vault.path, &w->m.packs[0]);
    for (size_t i = 0; i < SIZES; i++) {
        uint64_t from = w->m.objects[i].at.offset;
        uint64_t to = from + stream_size(sizes[i]);
        for (uint64_t at = from; at < to; at += at < from + 60 || at + 60 > to ? 1 : 4999) {
            struct error e = {0};
            flip(path, at);
            assert_int_equal(read_record(w, i, &e), STATUS_CORRUPT);
            assert_string_equal(e.code, "BACKUP-DAMAGED");
            flip(path, at);
        }
        assert_int_equal(read_record(w, i, NULL), STATUS_OK);
    }
    free(path);
}

static void what_is_short_missing_or_elsewhere_is_refused(void **state)
{
    struct world *w = *state;
    char *path = pack_path(w->vault.path, &w->m.packs[0]);
    struct backup_place at = w->m.objects[1].at;
    w->m.objects[1].at = w->m.objects[2].at; // another record in its place
    assert_int_equal(read_record(w, 1, NULL), STATUS_CORRUPT);
    w->m.objects[1].at = at;
    for (size_t i = 1; i < SIZES; i++) { // as if it were longer or shorter
        w->m.objects[i].size--;
        assert_int_equal(read_record(w, i, NULL), STATUS_CORRUPT);
        w->m.objects[i].size += 2;
        assert_int_equal(read_record(w, i, NULL), STATUS_CORRUPT);
        w->m.objects[i].size--;
    }
    assert_int_equal(truncate(path, (off_t)w->m.packs[0].bytes - 1), 0);
    assert_int_equal(read_record(w, SIZES - 1, NULL), STATUS_CORRUPT);
    assert_int_equal(read_record(w, 0, NULL), STATUS_OK);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(read_record(w, 0, NULL), STATUS_CORRUPT);
    free(path);
}

static void another_key_opens_nothing(void **state)
{
    struct world *w = *state;
    w->vault.key.data[5] ^= 1;
    struct backup_manifest m;
    assert_int_equal(read_record(w, 2, NULL), STATUS_CORRUPT);
    assert_int_equal(vault_read(&w->vault, 1, &m, NULL), STATUS_CORRUPT);
}

static void a_manifest_comes_back(void **state)
{
    struct world *w = *state;
    struct backup_manifest m;
    struct vaults found;
    assert_int_equal(vault_read(&w->vault, 1, &m, NULL), STATUS_OK);
    assert_int_equal(m.object_count, SIZES);
    assert_int_equal(m.at_ms, w->m.at_ms);
    assert_int_equal(manifest_file(&m, "archive/store.db")->size, 1500);
    assert_null(manifest_file(&m, "sparse/store.db"));
    for (size_t i = 0; i < SIZES; i++)
        assert_memory_equal(&m.objects[i].hash, &w->m.objects[i].hash, HASH_SIZE);
    assert_int_equal(manifest_bytes(&m), manifest_bytes(&w->m));
    manifest_free(&m);
    assert_int_equal(vaults_find(w->dir, &found, NULL), STATUS_OK);
    assert_int_equal(found.count, 1);
    assert_int_equal(vault_last(&found.items[0]), 1);
    vaults_free(&found);
}

static void every_byte_of_a_generation_counts(void **state)
{
    struct world *w = *state;
    struct backup_manifest m;
    struct buf path = {0};
    struct buf bytes = {0};
    buf_printf(&path, "%s/00000001.generation", w->vault.path);
    assert_int_equal(file_read(buf_cstr(&path), 1 << 20, &bytes, NULL), STATUS_OK);
    for (size_t at = 0; at < bytes.len; at++) {
        struct error e = {0};
        flip(buf_cstr(&path), at);
        assert_int_equal(vault_read(&w->vault, 1, &m, &e), STATUS_CORRUPT);
        assert_string_equal(e.code, "BACKUP-DAMAGED");
        flip(buf_cstr(&path), at);
    }
    for (size_t left = bytes.len - 1; left > 0; left /= 2) {
        assert_int_equal(truncate(buf_cstr(&path), (off_t)left), 0);
        assert_int_equal(vault_read(&w->vault, 1, &m, NULL), STATUS_CORRUPT);
    }
    // A generation in the place of another one is none.
    assert_int_equal(file_write(buf_cstr(&path), buf_span(&bytes), 0600, NULL), STATUS_OK);
    struct buf other = {0};
    buf_printf(&other, "%s/00000002.generation", w->vault.path);
    assert_int_equal(file_rename(buf_cstr(&path), buf_cstr(&other), NULL), STATUS_OK);
    assert_int_equal(vault_read(&w->vault, 2, &m, NULL), STATUS_CORRUPT);
    buf_free(&other);
    buf_free(&path);
    buf_free(&bytes);
}

// Whoever has the key can write what it likes: it is parsed as if a stranger had sent it.
static void no_list_leads_anywhere_else(void **state)
{
    struct world *w = *state;
    struct buf good = {0};
    struct backup_manifest m;
    manifest_print(&w->m, &good);
    assert_int_equal(manifest_parse(buf_span(&good), &m, NULL), STATUS_OK);
    manifest_free(&m);
    for (size_t len = 0; len < good.len; len++)
        assert_int_equal(manifest_parse((struct span){good.data, len}, &m, NULL), STATUS_CORRUPT);
    for (size_t at = 0; at < good.len; at++)
        for (int bit = 0; bit < 8; bit++) {
            good.data[at] = (char)(good.data[at] ^ 1 << bit);
            if (manifest_parse(buf_span(&good), &m, NULL) == STATUS_OK)
                manifest_free(&m);
            good.data[at] = (char)(good.data[at] ^ 1 << bit);
        }
    buf_free(&good);
    static const char *const bad[] = {"",  "/etc/passwd", "../x", "a/../b", "a//b", "a/",
                                      ".", "a/.b",        "A",    "a b",    "a\\b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buf text = {0};
        struct backup_manifest made = {.number = 1};
        (void)manifest_add_file(&made, bad[i]);
        manifest_print(&made, &text);
        assert_int_equal(manifest_parse(buf_span(&text), &m, NULL), STATUS_CORRUPT);
        manifest_free(&made);
        buf_free(&text);
    }
}

// A full disk is said, whichever write it meets, and what was there before is as good as it was.
static void a_full_disk_harms_nothing(void **state)
{
    struct world *w = *state;
    for (int n = 1; n < 12; n++) {
        char script[32];
        struct error e = {0};
        struct backup_manifest m = {.number = 2};
        snprintf(script, sizeof script, "any:%d+:ENOSPC", n);
        assert_true(fault_script(script));
        struct pack_writer *writer = pack_writer_create(w->vault.path, &w->vault.key, 2);
        struct hash name = name_of(3);
        struct pack_about about = about_object(&name);
        struct backup_place at;
        enum status status = pack_begin(writer, about_span(&about), &e);
        if (status == STATUS_OK)
            status = pack_add(writer, SPAN("something new"), &e);
        if (status == STATUS_OK)
            status = pack_end(writer, &m, &at, &e);
        if (status == STATUS_OK)
            status = pack_finish(writer, &m, &e);
        if (status == STATUS_OK)
            status = vault_write(&w->vault, &m, &e);
        pack_writer_destroy(writer);
        fault_script(NULL);
        if (status != STATUS_OK)
            assert_string_equal(e.code, "DISK-FULL");
        else
            assert_true(n > 8); // all of it was written before
        manifest_free(&m);
        for (size_t i = 0; i < SIZES; i++)
            assert_int_equal(read_record(w, i, NULL), STATUS_OK);
        // Only its last step, to make the name durable, can fail behind a generation that is whole.
        if (vault_read(&w->vault, 2, &m, NULL) == STATUS_OK)
            assert_true(n > 8);
        else
            assert_int_not_equal(status, STATUS_OK);
        manifest_free(&m);
    }
}

static size_t count_files(const char *dir)
{
    char command[200];
    size_t count = 0;
    snprintf(command, sizeof command, "ls %s | wc -l", dir);
    FILE *f = popen(command, "r");
    assert_int_equal(fscanf(f, "%zu", &count), 1);
    pclose(f);
    return count;
}

static void what_was_broken_off_is_tidied_up(void **state)
{
    struct world *w = *state;
    size_t before = count_files(w->vault.path);
    struct buf path = {0};
    static const char *const left[] = {"00000002-0000.pack", "tmp-1-2"};
    for (size_t i = 0; i < 2; i++) {
        buf_clear(&path);
        buf_printf(&path, "%s/%s", w->vault.path, left[i]);
        assert_int_equal(file_write(buf_cstr(&path), SPAN("x"), 0600, NULL), STATUS_OK);
    }
    struct vaults found;
    assert_int_equal(vaults_find(w->dir, &found, NULL), STATUS_OK);
    assert_int_equal(vault_tidy(&found.items[0], NULL), STATUS_OK);
    assert_int_equal(count_files(w->vault.path), before);
    vaults_free(&found);
    for (size_t i = 0; i < SIZES; i++)
        assert_int_equal(read_record(w, i, NULL), STATUS_OK);
    buf_free(&path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(records_of_all_sizes_come_back, begin, end),
        cmocka_unit_test_setup_teardown(generations_that_came_since_are_seen, begin, end),
        cmocka_unit_test_setup_teardown(every_region_of_a_pack_counts, begin, end),
        cmocka_unit_test_setup_teardown(what_is_short_missing_or_elsewhere_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(another_key_opens_nothing, begin, end),
        cmocka_unit_test_setup_teardown(a_manifest_comes_back, begin, end),
        cmocka_unit_test_setup_teardown(every_byte_of_a_generation_counts, begin, end),
        cmocka_unit_test_setup_teardown(no_list_leads_anywhere_else, begin, end),
        cmocka_unit_test_setup_teardown(a_full_disk_harms_nothing, begin, end),
        cmocka_unit_test_setup_teardown(what_was_broken_off_is_tidied_up, begin, end),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
