/* What has come of a phase, at every subscriber: what phase-ledger.ts does. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* What every subscriber must get. */
struct plan {
    int phase, sources, messages;
    /* Sources are channels, of which each subscriber is on SPREAD_EACH: see spread.ts. */
    bool is_spread;
    /* The server is killed in it: a gap is no fault, but makes up for all that its subscriber still misses. */
    bool has_crash;
};

/* See spread.ts. */
enum { SPREAD_CHANNELS = 500, SPREAD_EACH = 5, SPREAD_STRIDE = 101 };

/*
 * Begins a phase for subscribers [0, started), numbered from `first`, of which `connected` must get what is planned. What is
 * wrong with the one before is kept for the next collect_ledger().
 */
void open_ledger(const struct plan *plan, int first, int started, int connected);

/* A message has come; its stamp is at `stamp`, and nothing of it at or after `end`. */
void record(int subscriber, const char *stamp, const char *end, int64_t read_micros);

/* An event id did not grow. */
void record_disorder(void);

/* The server says that something may be missing. */
void record_gap(int subscriber);

/* An answer of a poll that had messages. */
void record_answer(void);

/* A stream ended that should not have. */
void record_drop(const char *why);

/* How many messages came, each counted once. */
int64_t delivered_messages(void);

/* Says what came of the phase and what went wrong since the last time; `worked_micros` is a field of the report. */
void collect_ledger(int64_t worked_micros);

/* The decimal number in [from, to), or -1 if it holds anything but digits, or nothing. */
int64_t decimal(const char *from, const char *to);
