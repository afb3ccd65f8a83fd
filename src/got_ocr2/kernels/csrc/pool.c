#include "pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* Each round is one pause instruction, 10 to 40 ns: 20 to 80 us in all, about what a sleep and a wake-up cost. */
#define SPIN_ROUNDS 2000

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    __asm__ volatile("yield");
#endif
}

/* A counter that threads can wait on until it changes. */
typedef struct {
    atomic_uint value;
    atomic_int sleepers;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
} event;

static void event_init(event *e)
{
    atomic_init(&e->value, 0);
    atomic_init(&e->sleepers, 0);
    pthread_mutex_init(&e->mutex, NULL);
    pthread_cond_init(&e->changed, NULL);
}

static void event_advance(event *e)
{
    atomic_fetch_add(&e->value, 1);
    /* A waiter counts itself before it looks at the value a last time, so one of the two sees the other. */
    if (atomic_load(&e->sleepers) > 0) {
        pthread_mutex_lock(&e->mutex);
        pthread_cond_broadcast(&e->changed);
        pthread_mutex_unlock(&e->mutex);
    }
}

static void event_wait(event *e, unsigned seen)
{
    for (int i = 0; i < SPIN_ROUNDS; i++) {
        if (atomic_load_explicit(&e->value, memory_order_acquire) != seen)
            return;
        relax();
    }
    pthread_mutex_lock(&e->mutex);
    atomic_fetch_add(&e->sleepers, 1);
    while (atomic_load(&e->value) == seen)
        pthread_cond_wait(&e->changed, &e->mutex);
    atomic_fetch_sub(&e->sleepers, 1);
    pthread_mutex_unlock(&e->mutex);
}

static struct {
    pthread_mutex_t caller; /* held for a whole region, and while the team changes */
    int wanted;             /* the size asked for */
    int size;               /* members running now, the caller included; 0: not started */
    pthread_t threads[GOT_MAX_THREADS];
    got_team_fn fn; /* of the present region; NULL tells the members to leave */
    void *ctx;
    event begin;   /* regions begun */
    event end;     /* regions ended */
    event barrier; /* barriers passed */
    atomic_int inside;  /* members, the caller left out, that have not finished the region */
    atomic_int arrived; /* members waiting at the barrier */
    struct {
        _Alignas(64) atomic_int next;
    } claims[GOT_MAX_THREADS]; /* on cache lines of their own: members mostly claim from their own lists */
} pool;

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Where the running thread stands: size 0 outside any region. */
static _Thread_local struct {
    int index, size;
} member;

static void pool_init(void)
{
    pthread_mutex_init(&pool.caller, NULL);
    pool.size = 0;
    event_init(&pool.begin);
    event_init(&pool.end);
    event_init(&pool.barrier);
    atomic_init(&pool.inside, 0);
    atomic_init(&pool.arrived, 0);
}

/* The child of a fork has none of the threads, and locks in whatever state they were. */
static void forget_after_fork(void)
{
    pool_init();
    member.index = member.size = 0;
}

static void first_use(void)
{
    pool.wanted = 1;
    pool_init();
    pthread_atfork(NULL, NULL, forget_after_fork);
}

static void reset_claims(void)
{
    for (int i = 0; i < pool.size; i++)
        atomic_store_explicit(&pool.claims[i].next, 0, memory_order_relaxed);
}

static void *member_main(void *argument)
{
    int index = (int)(size_t)argument;
    unsigned seen = 0;
    for (;;) {
        event_wait(&pool.begin, seen);
        seen++; /* the caller begins no region before this one has ended */
        got_team_fn fn = pool.fn;
        if (fn != NULL) {
            member.index = index;
            member.size = pool.size;
            fn(pool.ctx, index, pool.size);
        }
        if (atomic_fetch_sub(&pool.inside, 1) == 1)
            event_advance(&pool.end);
        if (fn == NULL)
            return NULL;
    }
}

static void run_region(got_team_fn fn, void *ctx)
{
    unsigned ended = atomic_load(&pool.end.value);
    pool.fn = fn;
    pool.ctx = ctx;
    atomic_store(&pool.inside, pool.size - 1);
    reset_claims();
    event_advance(&pool.begin);
    if (fn != NULL) {
        member.index = 0;
        member.size = pool.size;
        fn(ctx, 0, pool.size);
        member.size = 0;
    }
    event_wait(&pool.end, ended);
}

static void stop(void)
{
    if (pool.size > 1) {
        run_region(NULL, NULL);
        for (int i = 1; i < pool.size; i++)
            pthread_join(pool.threads[i], NULL);
    }
    pool.size = 0;
}

static void start(void)
{
    sigset_t all, before;
    /* Signals are for the program's own threads: Python expects them there. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    event_init(&pool.begin);
    int size = 1;
    while (size < pool.wanted
           && pthread_create(&pool.threads[size], NULL, member_main, (void *)(size_t)size) == 0)
        size++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pool.size = size;
}

void got_set_threads(int threads)
{
    pthread_once(&once, first_use);
    if (threads < 1)
        threads = 1;
    if (threads > GOT_MAX_THREADS)
        threads = GOT_MAX_THREADS;
    if (member.size > 0)
        return; /* inside a region: the team cannot change under its own feet */
    pthread_mutex_lock(&pool.caller);
    if (threads != pool.wanted) {
        stop();
        pool.wanted = threads;
    }
    pthread_mutex_unlock(&pool.caller);
}

int got_threads(void)
{
    pthread_once(&once, first_use);
    return pool.wanted;
}

static void run_alone(got_team_fn fn, void *ctx)
{
    int index = member.index, size = member.size;
    member.index = 0;
    member.size = 1;
    fn(ctx, 0, 1);
    member.index = index;
    member.size = size;
}

void got_team(got_team_fn fn, void *ctx)
{
    pthread_once(&once, first_use);
    if (member.size > 0) {
        run_alone(fn, ctx);
        return;
    }
    pthread_mutex_lock(&pool.caller);
    if (pool.size == 0)
        start();
    if (pool.size == 1)
        run_alone(fn, ctx);
    else
        run_region(fn, ctx);
    pthread_mutex_unlock(&pool.caller);
}

typedef struct {
    got_task_fn fn;
    void *ctx;
    int tasks;
    atomic_int next;
} task_list;

static void work_off(void *argument, int thread, int n_threads)
{
    task_list *list = argument;
    (void)n_threads;
    for (int task; (task = atomic_fetch_add(&list->next, 1)) < list->tasks;)
        list->fn(list->ctx, task, thread);
}

void got_parallel(got_task_fn fn, void *ctx, int tasks)
{
    task_list list = {fn, ctx, tasks, 0};
    got_team(work_off, &list);
}

void got_barrier(void)
{
    if (member.size <= 1)
        return;
    unsigned passed = atomic_load(&pool.barrier.value);
    if (atomic_fetch_add(&pool.arrived, 1) == member.size - 1) {
        atomic_store(&pool.arrived, 0);
        reset_claims();
        event_advance(&pool.barrier);
    } else {
        event_wait(&pool.barrier, passed);
    }
}

int got_claim(int list)
{
    return atomic_fetch_add_explicit(&pool.claims[list].next, 1, memory_order_relaxed);
}

int got_claimed(int list)
{
    return atomic_load_explicit(&pool.claims[list].next, memory_order_relaxed);
}
