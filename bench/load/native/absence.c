#include "absence.h"
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "histogram.h"
#include "ramp.h"
#include "report.h"

enum {
    LOOK_EVERY_MICROS = 5 * 1000, /* for those whose time has come */
    RETRY_MS = 1000,              /* at least, and twice as much at most, where the server asks for no other time */
};

static struct {
    bool expects_ends;
    bool is_on; /* they return */
    int returned, failed;
    int64_t turned_away, first_micros, last_micros, next_look_micros;
    struct histogram latency;
    struct reason failure;
} absence;

static void report_away(void) {
    report("{\"kind\":\"away\"");
    end_report();
}

void cut_all(void) {
    for (int index = 0; index < ramp_started(); index++) cut_subscriber(subscriber_at(index));
    report_away();
}

void expect_ends(void) {
    absence.expects_ends = true;
    end_was_seen();
}

bool expects_ends(void) { return absence.expects_ends; }

void end_was_seen(void) {
    if (!absence.expects_ends || standing() > 0) return;
    absence.expects_ends = false;
    report_away();
}

static void end_if_complete(void) {
    if (!absence.is_on || absence.returned + absence.failed < ramp_connected()) return;
    absence.is_on = false;
    report("{\"kind\":\"returned\",\"connected\":%d,\"failed\":%d,\"turnedAway\":%lld", absence.returned, absence.failed,
           (long long)absence.turned_away);
    report_reason("failure", &absence.failure);
    report(",\"firstMicros\":%lld,\"lastMicros\":%lld", (long long)absence.first_micros,
           (long long)absence.last_micros);
    report_histogram("latency", &absence.latency);
    end_report();
}

static int64_t random_micros(int64_t below_ms) { return below_ms == 0 ? 0 : random() % (below_ms * 1000); }

void begin_return(int spread_ms) {
    memset(&absence, 0, sizeof absence);
    absence.is_on = true;
    absence.first_micros = now_micros();
    for (int index = 0; index < ramp_started(); index++) {
        struct subscriber *self = subscriber_at(index);
        if (self->was_open && self->state == AWAY)
            self->due_micros = self->started_micros = absence.first_micros + random_micros(spread_ms);
        else if (self->was_open) absence.returned++;
    }
    end_if_complete();
}

void has_returned(struct subscriber *self) {
    absence.returned++;
    absence.last_micros = now_micros();
    count(&absence.latency, absence.last_micros - self->started_micros);
    end_if_complete();
}

void could_not_return(struct subscriber *self, const char *why) {
    /* What EventSource takes as final: a status that is not 200. What else there is, ends a connection. */
    bool is_final = strncmp(why, "HTTP/", 5) == 0;
    if (is_final) {
        absence.failed++;
        keep_first(&absence.failure, why);
        end_if_complete();
        return;
    }
    absence.turned_away++;
    int retry_ms = self->retry_ms > 0 ? self->retry_ms : RETRY_MS + random_micros(RETRY_MS) / 1000;
    self->due_micros = now_micros() + retry_ms * INT64_C(1000);
}

int open_due_ones(void) {
    if (!absence.is_on) return -1;
    int64_t now = now_micros();
    if (now < absence.next_look_micros) return (absence.next_look_micros - now) / 1000 + 1;
    absence.next_look_micros = now + LOOK_EVERY_MICROS;
    const char *why;
    for (int index = 0; index < ramp_started(); index++) {
        struct subscriber *self = subscriber_at(index);
        if (self->state != AWAY || self->due_micros == 0 || self->due_micros > now) continue;
        if (!open_subscriber(self, &why)) could_not_return(self, why);
    }
    return LOOK_EVERY_MICROS / 1000;
}
