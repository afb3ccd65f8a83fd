/* Runs linear layers that a file describes, for processors on which there is no Python: see test_aarch64.py.
 *
 *   linear_job INSTRUCTION_SET BYTE_DOT THREADS JOBS RESULTS
 *
 * A job is seven int32 (format, epilogue, n, k, group, panels, rows), then eight arrays, each an int64 with its bytes
 * before it: weights, scales, bias, the compact format's tables, starts and escapes, x, residual. Results are y, one
 * after another. Exit code 3: the processor does not offer the instruction set.
 */
#include "isa.h"
#include "linear.h"
#include "pool.h"

#include <stdio.h>
#include <stdlib.h>

static void *array(FILE *from)
{
    int64_t bytes;
    void *room = NULL;
    if (fread(&bytes, sizeof bytes, 1, from) != 1)
        exit(4);
    const size_t size = (size_t)bytes;
    if (size > 0 && (posix_memalign(&room, 64, size) != 0 || fread(room, 1, size, from) != size))
        exit(4);
    return room;
}

int main(int count, char **words)
{
    if (count != 6 || got_isa_use(atoi(words[1])) != 0)
        return 3;
    got_isa_allow_byte_dot(atoi(words[2]));
    got_set_threads(atoi(words[3]));
    FILE *jobs = fopen(words[4], "rb"), *results = fopen(words[5], "wb");
    int32_t head[7];
    while (fread(head, sizeof head, 1, jobs) == 1) {
        void *parts[8];
        for (int i = 0; i < 8; i++)
            parts[i] = array(jobs);
        got_linear layer = {
            head[0], head[1], head[2], head[3], head[4], head[5], parts[0], parts[1], parts[2],
            {parts[3], parts[4], parts[5]},
        };
        size_t outputs = (size_t)head[6] * (size_t)head[2];
        float *y = malloc(outputs * sizeof *y);
        if (got_linear_run(&layer, parts[6], head[3], head[6], y, head[2], parts[7], head[2]) != 0
            || fwrite(y, sizeof *y, outputs, results) != outputs)
            return 4;
        free(y);
        for (int i = 0; i < 8; i++)
            free(parts[i]);
    }
    return fclose(results) != 0;
}
