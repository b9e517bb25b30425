// A drain runs what had been posted when it began; what is posted meanwhile makes the descriptor readable again, so a
// letter that posts another cannot keep the loop.
#include "base/mailbox.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/bytes.h"

struct letter {
    struct letter *next;
    mailbox_fn fn;
    void *arg;
};

struct mailbox {
    pthread_mutex_t lock;
    struct letter *first;
    struct letter **end;
    int fd;
};

struct mailbox *mailbox_create(void)
{
    struct mailbox *m = mem_alloc(sizeof *m);
    pthread_mutex_init(&m->lock, NULL);
    m->end = &m->first;
    m->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (m->fd < 0)
        abort();
    return m;
}

static struct letter *take_all(struct mailbox *m)
{
    pthread_mutex_lock(&m->lock);
    struct letter *l = m->first;
    m->first = NULL;
    m->end = &m->first;
    pthread_mutex_unlock(&m->lock);
    return l;
}

void mailbox_destroy(struct mailbox *m)
{
    if (m == NULL)
        return;
    struct letter *l = take_all(m);
    while (l != NULL) {
        struct letter *next = l->next;
        free(l);
        l = next;
    }
    close(m->fd);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

int mailbox_fd(const struct mailbox *m)
{
    return m->fd;
}

void mailbox_post(struct mailbox *m, mailbox_fn fn, void *arg)
{
    struct letter *l = mem_alloc(sizeof *l);
    l->fn = fn;
    l->arg = arg;
    pthread_mutex_lock(&m->lock);
    *m->end = l;
    m->end = &l->next;
    pthread_mutex_unlock(&m->lock);
    uint64_t one = 1;
    ssize_t ignored = write(m->fd, &one, sizeof one);
    (void)ignored; // a full counter still leaves the descriptor readable
}

size_t mailbox_drain(struct mailbox *m)
{
    uint64_t count;
    ssize_t ignored = read(m->fd, &count, sizeof count);
    (void)ignored;
    size_t ran = 0;
    struct letter *l = take_all(m);
    while (l != NULL) {
        struct letter *next = l->next;
        l->fn(l->arg);
        free(l);
        l = next;
        ran++;
    }
    return ran;
}
