/* The clocks of a load process. */
#pragma once
#include <stdint.h>
#include <time.h>

/* What a clock of the kernel says, in ns. */
static inline int64_t nanos(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* The clock of clock.ts. */
static inline int64_t now_micros(void) { return nanos(CLOCK_MONOTONIC) / 1000; }
