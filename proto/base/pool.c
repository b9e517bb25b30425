// Work that has begun is always finished; what has not begun when the pool goes is dropped, but its done is posted,
// because done releases what was given to it.
#include "base/pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/bytes.h"

enum { QUEUE_LIMIT = 256 };

struct task {
    pool_fn work;
    pool_fn done;
    void *arg;
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct mailbox *answers;
    struct task ring[QUEUE_LIMIT];
    size_t first;
    size_t count;
    bool stopping;
    size_t thread_count;
    pthread_t threads[];
};

static bool take(struct pool *p, struct task *t)
{
    while (p->count == 0 && !p->stopping)
        pthread_cond_wait(&p->wake, &p->lock);
    if (p->stopping)
        return false;
    *t = p->ring[p->first];
    p->first = (p->first + 1) % QUEUE_LIMIT;
    p->count--;
    return true;
}

static void *worker(void *arg)
{
    struct pool *p = arg;
    struct task t;
    pthread_mutex_lock(&p->lock);
    while (take(p, &t)) {
        pthread_mutex_unlock(&p->lock);
        t.work(t.arg);
        mailbox_post(p->answers, t.done, t.arg);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

struct pool *pool_create(size_t threads, struct mailbox *answers)
{
    struct pool *p = mem_alloc(sizeof *p + threads * sizeof p->threads[0]);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    p->answers = answers;
    for (size_t i = 0; i < threads; i++) {
        if (pthread_create(&p->threads[i], NULL, worker, p) != 0)
            abort();
        p->thread_count++;
    }
    return p;
}

enum status pool_submit(struct pool *p, pool_fn work, pool_fn done, void *arg)
{
    enum status st = STATUS_FULL;
    pthread_mutex_lock(&p->lock);
    if (p->count < QUEUE_LIMIT) {
        p->ring[(p->first + p->count) % QUEUE_LIMIT] = (struct task){work, done, arg};
        p->count++;
        st = STATUS_OK;
        pthread_cond_signal(&p->wake);
    }
    pthread_mutex_unlock(&p->lock);
    return st;
}

void pool_destroy(struct pool *p)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < p->thread_count; i++)
        pthread_join(p->threads[i], NULL);
    for (; p->count != 0; p->count--) {
        mailbox_post(p->answers, p->ring[p->first].done, p->ring[p->first].arg);
        p->first = (p->first + 1) % QUEUE_LIMIT;
    }
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
