/* The library's threads.
 *
 * One team of threads serves the whole process. The calling thread is member 0 and works too. A region is either a
 * list of tasks, handed out as threads become free, or a function that every member runs and that may hold barriers:
 * a whole pass through a network can be one region.
 *
 * Members wait by spinning for some tens of microseconds and then sleep. Regions started from several threads at once
 * run one after the other; a region started inside a region runs on the calling thread alone. After fork() the child
 * starts a team of its own when it first needs one.
 */
#ifndef GOT_POOL_H
#define GOT_POOL_H

#include "export.h"

#define GOT_MAX_THREADS 256

typedef void (*got_team_fn)(void *ctx, int thread, int n_threads);
typedef void (*got_task_fn)(void *ctx, int task, int thread);

/* Sets the team's size, 1..GOT_MAX_THREADS, the caller included. Waits for a running region to end. */
GOT_API void got_set_threads(int threads);

/* The size asked for; a region has fewer members only where the system refuses to start threads. */
GOT_API int got_threads(void);

/* Runs fn(ctx, thread, n_threads) once on every member; returns when all have. */
GOT_API void got_team(got_team_fn fn, void *ctx);

/* Runs fn(ctx, task, thread) for every task in 0..tasks-1, in any order; returns when all are done. */
GOT_API void got_parallel(got_task_fn fn, void *ctx, int tasks);

/* Inside a got_team function: returns when every member has called it; what they wrote before is then visible. */
GOT_API void got_barrier(void);

/* Inside a got_team function: hands out 0, 1, 2, ... of list `list` (0..n_threads-1), each number once to whichever
 * member asks. All lists begin again at every barrier. */
int got_claim(int list);

/* The number that got_claim would hand out next; an old value where others are claiming. */
int got_claimed(int list);

#endif
