#include "polling.h"
#include <sched.h>
#include "clock.h"

static struct {
    bool is_on;
    int64_t vain_nanos, vain_since, started_at;
} polling;

void start_polling(bool polls) {
    polling.is_on = polls;
    polling.vain_nanos = polling.vain_since = 0;
    polling.started_at = nanos(CLOCK_THREAD_CPUTIME_ID);
}

int64_t stop_polling(void) {
    polling.is_on = false;
    return (nanos(CLOCK_THREAD_CPUTIME_ID) - polling.started_at - polling.vain_nanos) / 1000;
}

bool is_polling(void) { return polling.is_on; }

void found_something(void) { polling.vain_since = 0; }

void found_nothing(void) {
    if (!polling.is_on) return;
    int64_t now = nanos(CLOCK_THREAD_CPUTIME_ID);
    if (polling.vain_since != 0) polling.vain_nanos += now - polling.vain_since;
    polling.vain_since = now;
    /* Publishers and other readers share this core. */
    sched_yield();
}
