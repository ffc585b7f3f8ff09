/* Durations in µs, in the buckets of histogram.ts. */
#pragma once
#include <stdint.h>

enum { EXACT = 256, PER_OCTAVE = EXACT / 2, FIRST_OCTAVE = 8, BUCKETS = EXACT + (32 - FIRST_OCTAVE) * PER_OCTAVE };

struct histogram {
    int64_t counts[BUCKETS];
    int64_t total, min, max;
};

void count(struct histogram *histogram, int64_t micros);

/* As a field of a report. */
void report_histogram(const char *name, const struct histogram *histogram);
