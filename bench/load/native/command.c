#include "command.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "absence.h"
#include "event-stream.h"
#include "ledger.h"
#include "long-poll.h"
#include "nchan-poll.h"
#include "polling.h"
#include "progress.h"
#include "ramp.h"
#include "report.h"
#include "socket-io.h"

enum { LONGEST_LINE = 16 * 1024 };

static const struct kind *kinds[] = {&event_stream, &long_poll, &nchan_poll, &socket_io};

/* Every word of a kind, or of `true` and `false`, is shorter than this. */
typedef char word[16];

static bool connect_all(const char *line) {
    static struct target target;
    int count, window, port, rest = 0, end = 0;
    word kind = "", ready = "", local = "";
    int read = sscanf(line,
                      "{\"kind\":\"connect\",\"first\":%9d,\"count\":%9d,\"window\":%9d,\"request\":{\"kind\":\"%15[a-z.-]\","
                      "\"host\":\"%63[^\"\\]\",\"port\":%5d,\"path\":\"%4095[^\"\\]\",\"ready\":\"%7[a-z]\"%n",
                      &target.first, &count, &window, kind, target.host, &port, target.path, ready, &rest);
    if (read != 8 || rest == 0 || target.first < 0 || count < 0 || window < 1) return false;
    if (strcmp(line + rest, "}}") != 0 &&
        (sscanf(line + rest, ",\"localAddress\":\"%15[0-9.]\"}}%n", local, &end) != 1 || end == 0 ||
         line[rest + end] != 0))
        return false;
    for (size_t at = 0; at < sizeof kinds / sizeof *kinds; at++)
        if (strcmp(kinds[at]->name, kind) == 0) target.kind = kinds[at];
    target.is_ready_by_head = strcmp(ready, "head") == 0;
    target.to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    target.from = (struct sockaddr_in){.sin_family = local[0] == 0 ? 0 : AF_INET};
    if (target.kind == NULL || (!target.is_ready_by_head && strcmp(ready, "event") != 0)) return false;
    if (inet_pton(AF_INET, target.host, &target.to.sin_addr) != 1) return false;
    if (local[0] != 0 && inet_pton(AF_INET, local, &target.from.sin_addr) != 1) return false;
    begin_ramp(&target, count, window);
    return true;
}

/* Reads `true` or `false`. */
static bool read_boolean(const char *text, bool *value) {
    *value = strcmp(text, "true") == 0;
    return *value || strcmp(text, "false") == 0;
}

static bool arm(const char *line) {
    struct plan plan;
    bool polls;
    int end = 0;
    word spread = "", crash = "", polling = "";
    int read = sscanf(line,
                      "{\"kind\":\"arm\",\"plan\":{\"phase\":%9d,\"sources\":%9d,\"messages\":%9d,\"isSpread\":%7[a-z],"
                      "\"hasCrash\":%7[a-z]},\"polls\":%7[a-z]}%n",
                      &plan.phase, &plan.sources, &plan.messages, spread, crash, polling, &end);
    if (read != 6 || end == 0 || line[end] != 0) return false;
    if (plan.phase < 0 || plan.sources < 0 || plan.messages < 0) return false;
    if (!read_boolean(spread, &plan.is_spread) || !read_boolean(crash, &plan.has_crash) ||
        !read_boolean(polling, &polls))
        return false;
    open_ledger(&plan, ramp_target()->first, ramp_started(), ramp_connected());
    start_polling(polls);
    forget_progress();
    report("{\"kind\":\"armed\"");
    end_report();
    if (plan.has_crash) expect_ends();
    return true;
}

static bool return_all(const char *line) {
    int spread_ms, end = 0;
    if (sscanf(line, "{\"kind\":\"return\",\"spreadMs\":%9d}%n", &spread_ms, &end) != 1) return false;
    if (end == 0 || line[end] != 0 || spread_ms < 0) return false;
    begin_return(spread_ms);
    return true;
}

static _Noreturn void leave(void) {
    for (int index = 0; index < ramp_started(); index++) cut_subscriber(subscriber_at(index));
    exit(0);
}

static void obey(const char *line) {
    if (strcmp(line, "{\"kind\":\"leave\"}") == 0) leave();
    if (strcmp(line, "{\"kind\":\"collect\"}") == 0) collect_ledger(stop_polling());
    else if (strcmp(line, "{\"kind\":\"cut\"}") == 0) cut_all();
    else if (!(ramp_target()->kind == NULL && connect_all(line)) && !arm(line) && !return_all(line))
        fail("a command that this process does not know", line);
}

void read_commands(void) {
    static char line[LONGEST_LINE];
    static size_t length;
    ssize_t read_length = read(STDIN_FILENO, line + length, sizeof line - length - 1);
    /* Without a parent there is nothing to do. */
    if (read_length <= 0) exit(1);
    length += read_length;
    line[length] = 0;
    for (char *end; (end = strchr(line, '\n')) != NULL;) {
        *end = 0;
        obey(line);
        length -= end + 1 - line;
        memmove(line, end + 1, length + 1);
    }
    if (length == sizeof line - 1) fail("a command that is too long", line);
}
