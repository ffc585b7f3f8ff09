#include "ledger.h"
#include <stdlib.h>
#include <string.h>
#include "histogram.h"
#include "report.h"

enum { STAMP_LENGTH = 35 /* see stamp.ts, also for the places of its parts */ };

/* What came is in `last`; only where something went wrong is there a set of bits. */
static struct {
    struct plan plan;
    int first, each;
    size_t cells;
    int64_t expected, delivered, excused, gapped, answers, duplicated, disordered, last_micros;
    int32_t *last;
    uint8_t **missing;
    struct histogram latency;
} ledger;

/* What went wrong since the last `collected` and is not in the ledger. */
static struct {
    int64_t lost, duplicated, disordered, gaps, dropped;
} faults;
static struct reason ending;

static int64_t lost_messages(void) { return ledger.expected - ledger.delivered - ledger.excused; }

void open_ledger(const struct plan *plan, int first, int started, int connected) {
    faults.lost += lost_messages();
    faults.duplicated += ledger.duplicated;
    faults.disordered += ledger.disordered;
    for (size_t cell = 0; cell < ledger.cells; cell++) free(ledger.missing[cell]);
    free(ledger.missing);
    free(ledger.last);
    memset(&ledger, 0, sizeof ledger);
    ledger.plan = *plan;
    ledger.first = first;
    ledger.each = plan->is_spread ? SPREAD_EACH : plan->sources;
    ledger.cells = (size_t)started * ledger.each;
    ledger.expected = (int64_t)connected * ledger.each * plan->messages;
    if (ledger.cells == 0) return;
    ledger.last = calloc(ledger.cells, sizeof *ledger.last);
    ledger.missing = calloc(ledger.cells, sizeof *ledger.missing);
    if (ledger.last == NULL || ledger.missing == NULL) fail("no memory for", "the ledger");
}

/* Whether the message, which is not the next one of its source, came for the first time. */
static bool is_first(size_t cell, int32_t sequence) {
    uint8_t *missing = ledger.missing[cell];
    if (sequence > ledger.last[cell]) {
        if (missing == NULL) missing = ledger.missing[cell] = calloc(ledger.plan.messages / 8 + 1, 1);
        if (missing == NULL) fail("no memory for", "the ledger");
        for (int32_t at = ledger.last[cell] + 1; at < sequence; at++) missing[at / 8] |= 1 << at % 8;
        ledger.last[cell] = sequence;
        return true;
    }
    if (missing != NULL && missing[sequence / 8] & 1 << sequence % 8) {
        missing[sequence / 8] &= ~(1 << sequence % 8);
        ledger.disordered++;
        return true;
    }
    ledger.duplicated++;
    return false;
}

int64_t decimal(const char *from, const char *to) {
    int64_t value = from < to && to - from < 19 ? 0 : -1;
    for (const char *at = from; at < to && value >= 0; at++)
        value = *at < '0' || *at > '9' ? -1 : value * 10 + (*at - '0');
    return value;
}

/* Which of the subscriber's sources it is, or -1 if it is not one. */
static int place_of(int subscriber, int64_t source) {
    if (source < 0 || source >= ledger.plan.sources) return -1;
    if (!ledger.plan.is_spread) return source;
    int number = (ledger.first + subscriber) % SPREAD_CHANNELS;
    int distance = (source - number + SPREAD_CHANNELS) % SPREAD_CHANNELS;
    bool is_own = distance % SPREAD_STRIDE == 0 && distance / SPREAD_STRIDE < SPREAD_EACH;
    return is_own ? distance / SPREAD_STRIDE : -1;
}

static void report_if_done(void) {
    if (lost_messages() != 0) return;
    report("{\"kind\":\"done\"");
    end_report();
}

void record(int subscriber, const char *stamp, const char *end, int64_t read_micros) {
    bool is_whole = end - stamp >= STAMP_LENGTH;
    int64_t phase = is_whole ? decimal(stamp + 1, stamp + 6) : -1;
    int64_t source = is_whole ? decimal(stamp + 7, stamp + 11) : -1;
    int64_t sequence = is_whole ? decimal(stamp + 12, stamp + 19) : -1;
    int64_t sent_micros = is_whole ? decimal(stamp + 20, stamp + STAMP_LENGTH) : -1;
    int place = place_of(subscriber, source);
    bool is_of_plan = phase == ledger.plan.phase && place >= 0 && sequence >= 0 && sequence <= ledger.plan.messages &&
                      sent_micros >= 0;
    if (!is_of_plan) {
        ledger.duplicated++;
        return;
    }
    size_t cell = (size_t)subscriber * ledger.each + place;
    if (sequence == ledger.last[cell] + 1) ledger.last[cell] = sequence;
    else if (!is_first(cell, sequence)) return;
    ledger.delivered++;
    count(&ledger.latency, read_micros - sent_micros);
    ledger.last_micros = read_micros;
    report_if_done();
}

void record_disorder(void) { ledger.disordered++; }

/* What the subscriber still misses in a cell: the end, and what is in the set. From now on nothing of it may come. */
static int64_t excuse_cell(size_t cell) {
    int64_t excused = ledger.plan.messages - ledger.last[cell];
    for (int32_t at = 1; ledger.missing[cell] != NULL && at < ledger.last[cell]; at++)
        excused += ledger.missing[cell][at / 8] >> at % 8 & 1;
    free(ledger.missing[cell]);
    ledger.missing[cell] = NULL;
    ledger.last[cell] = ledger.plan.messages;
    return excused;
}

void record_gap(int subscriber) {
    int64_t excused = 0;
    for (int place = 0; ledger.plan.has_crash && place < ledger.each; place++)
        excused += excuse_cell((size_t)subscriber * ledger.each + place);
    if (excused == 0) {
        faults.gaps++;
        return;
    }
    ledger.gapped++;
    ledger.excused += excused;
    report_if_done();
}

void record_answer(void) { ledger.answers++; }

void record_drop(const char *why) {
    faults.dropped++;
    keep_first(&ending, why);
}

int64_t delivered_messages(void) { return ledger.delivered; }

void collect_ledger(int64_t worked_micros) {
    report("{\"kind\":\"collected\",\"delivered\":%lld,\"excused\":%lld,\"gapped\":%lld,\"answers\":%lld,"
           "\"faults\":{\"lost\":%lld,\"duplicated\":%lld,\"disordered\":%lld,\"gaps\":%lld,\"dropped\":%lld,\"refused\":0}",
           (long long)ledger.delivered, (long long)ledger.excused, (long long)ledger.gapped, (long long)ledger.answers,
           (long long)(faults.lost + lost_messages()), (long long)(faults.duplicated + ledger.duplicated),
           (long long)(faults.disordered + ledger.disordered), (long long)faults.gaps, (long long)faults.dropped);
    report_reason("ending", &ending);
    report_histogram("latency", &ledger.latency);
    report(",\"lastMicros\":%lld,\"workedMicros\":%lld", (long long)ledger.last_micros, (long long)worked_micros);
    end_report();
    open_ledger(&(struct plan){0}, 0, 0, 0);
    memset(&faults, 0, sizeof faults);
    memset(&ending, 0, sizeof ending);
}
