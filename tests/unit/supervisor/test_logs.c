// Log files: never above their bounds, whoever writes; and the events in them, from one run to the next.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/secret.h"
#include "io/file.h"
#include "io/folder.h"
#include "supervisor/eventlog.h"
#include "supervisor/logfile.h"
#include "tests/unit/cmocka_all.h"

struct place {
    char top[40];
    char path[60];
};

static int setup(void **state)
{
    struct place *p = mem_alloc(sizeof *p);
    snprintf(p->top, sizeof p->top, "/tmp/tandem-logs-XXXXXX");
    assert_non_null(mkdtemp(p->top));
    snprintf(p->path, sizeof p->path, "%s/x.log", p->top);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    folder_remove_tree(p->top, NULL);
    free(p);
    return 0;
}

struct sum {
    size_t files;
    uint64_t bytes, largest;
};

static enum status add_file(const struct folder_file *file, void *arg, struct error *e)
{
    struct sum *sum = arg;
    (void)e;
    sum->files++;
    sum->bytes += file->size;
    sum->largest = file->size > sum->largest ? file->size : sum->largest;
    return STATUS_OK;
}

static struct sum measure(const struct place *p)
{
    struct sum sum = {0};
    assert_int_equal(folder_walk(p->top, add_file, &sum, NULL), STATUS_OK);
    return sum;
}

static void five_files_of_ten_mebibytes_are_all(void **state)
{
    const struct place *p = *state;
    struct logfile *l = logfile_open(p->path, NULL);
    char *line = mem_alloc(100000);
    memset(line, 'x', 99999);
    line[99999] = '\n';
    for (int i = 0; i < 800; i++) // 80 MB
        logfile_write(l, (struct span){line, 100000});
    struct sum sum = measure(p);
    assert_int_equal(sum.files, LOGFILE_COUNT);
    assert_true(sum.bytes > 4 * (uint64_t)LOGFILE_BYTES); // what there is room for is kept
    assert_true(sum.largest < LOGFILE_BYTES + (512 << 10));
    free(line);
    logfile_close(l);
}

// More events than fit: files stay within bounds, and the next run has the latest.
static void events_go_on_in_the_next_run(void **state)
{
    const struct place *p = *state;
    struct ipc_ring *ring = ipc_ring_create();
    struct logfile *l = eventlog_open(p->path, ring, NULL);
    char text[1000];
    memset(text, 'y', sizeof text);
    json_t *data = json_pack("{s:s%}", "text", text, sizeof text);
    enum { EVENTS = 14000 };
    for (int i = 0; i < EVENTS; i++) {
        json_decref(ipc_ring_add(ring, "archive", "object.stored", data, i));
        eventlog_add(l, ring);
    }
    json_decref(data);
    logfile_close(l);
    ipc_ring_destroy(ring);
    struct sum sum = measure(p);
    assert_int_equal(sum.files, 2);
    assert_true(sum.bytes < 9 << 20);

    ring = ipc_ring_create();
    l = eventlog_open(p->path, ring, NULL);
    struct ipc_ring_query q = {.from = IPC_FROM_OLDEST};
    json_t *page = ipc_ring_read(ring, &q, 1);
    const json_t *first = json_array_get(json_object_get(page, "events"), 0);
    json_int_t seq = json_integer_value(json_object_get(first, "seq"));
    assert_true(seq > 1 && seq < EVENTS);
    assert_int_equal(json_integer_value(json_object_get(first, "time")), seq - 1);
    json_decref(page);
    json_t *hint = ipc_ring_add(ring, "archive", "object.stored", NULL, 0);
    assert_int_equal(json_integer_value(json_object_get(hint, "seq")), EVENTS + 1);
    json_decref(hint);
    logfile_close(l);
    ipc_ring_destroy(ring);
}

static void damaged_events_keep_nobody_from_starting(void **state)
{
    const struct place *p = *state;
    assert_int_equal(file_write(p->path,
                                SPAN("\0\xff{\n[]\n{\"seq\":3}\n{\"seq\":-1,\"bootId\":\"a\"}\n{\"seq\":9,\"bo"), 0600,
                                NULL),
                     STATUS_OK);
    struct ipc_ring *ring = ipc_ring_create();
    struct logfile *l = eventlog_open(p->path, ring, NULL);
    assert_non_null(l);
    json_t *hint = ipc_ring_add(ring, "archive", "object.stored", NULL, 0);
    assert_int_equal(json_integer_value(json_object_get(hint, "seq")), 1);
    json_decref(hint);
    logfile_close(l);
    ipc_ring_destroy(ring);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(five_files_of_ten_mebibytes_are_all, setup, teardown),
        cmocka_unit_test_setup_teardown(events_go_on_in_the_next_run, setup, teardown),
        cmocka_unit_test_setup_teardown(damaged_events_keep_nobody_from_starting, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
