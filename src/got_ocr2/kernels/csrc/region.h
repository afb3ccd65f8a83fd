/* Small tools for functions that every member of a team runs. */
#ifndef GOT_REGION_H
#define GOT_REGION_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "linear.h"
#include "pool.h"

static inline double got_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Ends a part: everybody waits, and member 0 books the time since `*since`, if times are wanted. */
static inline void got_finish(double *times, int part, int thread, double *since)
{
    got_barrier();
    if (times != NULL && thread == 0) {
        double now = got_seconds();
        times[part] += now - *since;
        *since = now;
    }
}

/* Member `thread`'s share of `count` things. */
static inline void got_share(int64_t count, int thread, int members, int64_t *from, int64_t *to)
{
    *from = count * thread / members;
    *to = count * (thread + 1) / members;
}

/* Takes `size` bytes of a block of memory, on a 64-byte boundary; without a block only counts. */
static inline void *got_take(char *block, size_t *used, size_t size)
{
    void *at = block == NULL ? NULL : block + *used;
    *used += (size + 63) / 64 * 64;
    return at;
}

/* The scratch a member needs for a linear layer: a team may have fewer members than asked for, and then needs more. */
static inline size_t got_scratch(const got_linear *layer, int rows, int members)
{
    size_t most = 0;
    for (int n = 1; rows > 0 && n <= members; n++) {
        size_t size = got_linear_scratch(layer, rows, n);
        most = size > most ? size : most;
    }
    return most;
}

#endif
