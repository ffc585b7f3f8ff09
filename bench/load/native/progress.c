#include "progress.h"
#include <stdint.h>
#include "clock.h"
#include "ledger.h"
#include "report.h"
#include "subscriber.h"

enum { PROGRESS_MICROS = 500 * 1000 };

static int64_t reported_standing, reported_delivered;

int report_progress(void) {
    static int64_t next_micros;
    int64_t now = now_micros();
    if (now < next_micros) return (next_micros - now) / 1000 + 1;
    next_micros = now + PROGRESS_MICROS;
    if (reported_standing != standing() || reported_delivered != delivered_messages()) {
        reported_standing = standing();
        reported_delivered = delivered_messages();
        report("{\"kind\":\"progress\",\"connected\":%lld,\"delivered\":%lld", (long long)reported_standing,
               (long long)reported_delivered);
        end_report();
    }
    return PROGRESS_MICROS / 1000;
}

void forget_progress(void) { reported_delivered = -1; }
