#include "histogram.h"
#include "report.h"

void count(struct histogram *histogram, int64_t micros) {
    uint32_t value = micros < 0 ? 0 : micros > UINT32_MAX ? UINT32_MAX : (uint32_t)micros;
    uint32_t bucket = value;
    if (value >= EXACT) {
        int octave = 31 - __builtin_clz(value);
        bucket = EXACT + (octave - FIRST_OCTAVE) * PER_OCTAVE + (value >> (octave - FIRST_OCTAVE + 1)) - PER_OCTAVE;
    }
    histogram->counts[bucket]++;
    if (histogram->total++ == 0 || value < histogram->min) histogram->min = value;
    if (value > histogram->max) histogram->max = value;
}

void report_histogram(const char *name, const struct histogram *histogram) {
    const char *comma = "";
    report(",\"%s\":{\"buckets\":[", name);
    for (int bucket = 0; bucket < BUCKETS; bucket++) {
        if (histogram->counts[bucket] == 0) continue;
        report("%s[%d,%lld]", comma, bucket, (long long)histogram->counts[bucket]);
        comma = ",";
    }
    report("],\"minMicros\":%lld,\"maxMicros\":%lld}", (long long)histogram->min, (long long)histogram->max);
}
