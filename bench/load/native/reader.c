/*
 * The lean reader: what reader.ts is, for a fraction of its processor time, and with more kinds of subscribers. Which of the
 * two reads is an option of the run; test/bench/reader-conformance.ts holds both to the same. Compiled by machine/programs.ts.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "absence.h"
#include "command.h"
#include "polling.h"
#include "progress.h"
#include "report.h"
#include "subscriber.h"

enum {
    EVENTS_AT_ONCE = 256,
    COMMANDS = -1, /* stands for standard input where others are subscribers' numbers */
};

int main(void) {
    /* The terminal sends Ctrl-C to all; when it is over is the parent's business. */
    signal(SIGINT, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    struct epoll_event commands = {.events = EPOLLIN, .data.u64 = (uint64_t)COMMANDS};
    if (epoll_ctl(epoll_descriptor(), EPOLL_CTL_ADD, STDIN_FILENO, &commands) < 0) fail("epoll", strerror(errno));
    report("{\"kind\":\"up\"");
    end_report();
    struct epoll_event events[EVENTS_AT_ONCE];
    for (;;) {
        int progress_ms = report_progress(), due_ms = open_due_ones();
        int ms = due_ms >= 0 && due_ms < progress_ms ? due_ms : progress_ms;
        int found = epoll_wait(epoll_descriptor(), events, EVENTS_AT_ONCE, is_polling() ? 0 : ms);
        if (found < 0 && errno != EINTR) fail("epoll", strerror(errno));
        if (found > 0) found_something();
        else found_nothing();
        for (int at = 0; at < found; at++) {
            if (events[at].data.u64 == (uint64_t)COMMANDS) read_commands();
            else serve(subscriber_at(events[at].data.u64), events[at].events);
        }
    }
}
