#include "ramp.h"
#include "clock.h"
#include "histogram.h"
#include "report.h"

enum { FAILURES_BEFORE_GIVING_UP = 100 /* see ramp.ts */ };

static struct target target;
static struct {
    bool is_on;
    int count, window, started, connected, failed;
    int64_t first_micros, last_micros;
    struct histogram latency;
    struct reason failure;
} ramp;

const struct target *ramp_target(void) { return &target; }
int ramp_started(void) { return ramp.started; }
int ramp_connected(void) { return ramp.connected; }

static void report_ramp(void) {
    report("{\"kind\":\"connected\",\"connected\":%d,\"failed\":%d", ramp.connected, ramp.failed);
    report_reason("failure", &ramp.failure);
    report(",\"firstMicros\":%lld,\"lastMicros\":%lld", (long long)ramp.first_micros, (long long)ramp.last_micros);
    report_histogram("latency", &ramp.latency);
    end_report();
}

static void advance(void) {
    if (!ramp.is_on) return;
    const char *why;
    while (ramp.started < ramp.count && ramp.failed < FAILURES_BEFORE_GIVING_UP &&
           ramp.started - ramp.connected - ramp.failed < ramp.window) {
        struct subscriber *next = subscriber_at(ramp.started++);
        next->started_micros = now_micros();
        if (open_subscriber(next, &why)) continue;
        ramp.failed++;
        keep_first(&ramp.failure, why);
    }
    if (ramp.connected + ramp.failed < ramp.started) return;
    ramp.is_on = false;
    report_ramp();
}

void begin_ramp(const struct target *to, int count, int window) {
    target = *to;
    make_subscribers(count);
    ramp.count = count;
    ramp.window = window;
    ramp.first_micros = now_micros();
    ramp.is_on = true;
    advance();
}

void has_connected(struct subscriber *self) {
    self->was_open = true;
    ramp.connected++;
    ramp.last_micros = now_micros();
    count(&ramp.latency, ramp.last_micros - self->started_micros);
    advance();
}

void could_not_connect(const char *why) {
    ramp.failed++;
    keep_first(&ramp.failure, why);
    advance();
}
