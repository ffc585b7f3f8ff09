/*
 * The lean reader: what reader.ts is, for a fraction of its processor time. Which of the two reads is an option of the run;
 * test/bench/reader.test.ts holds both to the same.
 *
 * Commands come as JSON lines on standard input and reports leave as such on standard output: those of protocol.ts, with
 * their fields in the order that is written there. What is not understood ends the program. Compiled by machine/programs.ts.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_SIZE = 256 * 1024,
    LONGEST_TAIL = 1024 * 1024,        /* of a frame that is not yet complete: a server that is none cannot fill the memory */
    LONGEST_HEAD = 16 * 1024,          /* the same for the head of a response */
    LONGEST_LINE = 16 * 1024,          /* of a command */
    FAILURES_BEFORE_GIVING_UP = 100,   /* see ramp.ts */
    PROGRESS_MICROS = 500 * 1000,
    EVENTS_AT_ONCE = 256,
    COMMANDS = -1,                     /* stands for standard input where others are subscribers' numbers */
    STAMP_LENGTH = 35,                 /* see stamp.ts, also for the places of its parts */
};

/* ---- Time ---- */

static int64_t nanos(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* The clock of clock.ts. */
static int64_t now_micros(void) { return nanos(CLOCK_MONOTONIC) / 1000; }

/* ---- Reports ---- */

static _Noreturn void fail(const char *what, const char *which) {
    fprintf(stderr, "%s: %s\n", what, which);
    exit(1);
}

static void report(const char *format, ...) {
    va_list values;
    va_start(values, format);
    vprintf(format, values);
    va_end(values);
}

static void end_report(void) {
    puts("}");
    fflush(stdout);
}

/* A reason, of which the first is kept. Made of what no JSON string has to escape. */
struct reason {
    char text[256];
};

static void keep_first(struct reason *reason, const char *why) {
    if (reason->text[0] != 0) return;
    snprintf(reason->text, sizeof reason->text, "%s", why);
    for (char *at = reason->text; *at != 0; at++)
        if (*at < ' ' || *at > '~' || *at == '"' || *at == '\\') *at = '?';
}

static void report_reason(const char *name, const struct reason *reason) {
    if (reason->text[0] != 0) report(",\"%s\":\"%s\"", name, reason->text);
}

/* ---- Histogram: the buckets of histogram.ts ---- */

enum { EXACT = 256, PER_OCTAVE = EXACT / 2, FIRST_OCTAVE = 8, BUCKETS = EXACT + (32 - FIRST_OCTAVE) * PER_OCTAVE };

struct histogram {
    int64_t counts[BUCKETS];
    int64_t total, min, max;
};

static void count(struct histogram *histogram, int64_t micros) {
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

static void report_histogram(const struct histogram *histogram) {
    const char *comma = "";
    report(",\"latency\":{\"buckets\":[");
    for (int bucket = 0; bucket < BUCKETS; bucket++) {
        if (histogram->counts[bucket] == 0) continue;
        report("%s[%d,%lld]", comma, bucket, (long long)histogram->counts[bucket]);
        comma = ",";
    }
    report("],\"minMicros\":%lld,\"maxMicros\":%lld}", (long long)histogram->min, (long long)histogram->max);
}

/* ---- Ledger: what phase-ledger.ts does. What came is in `last`; only where something went wrong is there a set of bits. ---- */

static struct {
    int32_t phase, sources, messages;
    int64_t expected, delivered, duplicated, disordered, last_micros;
    int32_t *last;
    uint8_t **missing;
    struct histogram latency;
} ledger;

/* What went wrong since the last `collected` and is not in the ledger. */
static struct {
    int64_t lost, duplicated, disordered, gaps, dropped;
} faults;
static struct reason ending;
/* The last progress that was reported. */
static int64_t reported_connected, reported_delivered;

static void open_ledger(int phase, int sources, int messages, int subscribers) {
    size_t cells = (size_t)subscribers * sources;
    for (size_t cell = 0; ledger.missing != NULL && cell < (size_t)(ledger.expected / ledger.messages); cell++)
        free(ledger.missing[cell]);
    free(ledger.missing);
    free(ledger.last);
    memset(&ledger, 0, sizeof ledger);
    ledger.phase = phase;
    ledger.sources = sources;
    ledger.messages = messages;
    ledger.expected = (int64_t)cells * messages;
    if (ledger.expected == 0) return;
    ledger.last = calloc(cells, sizeof *ledger.last);
    ledger.missing = calloc(cells, sizeof *ledger.missing);
    if (ledger.last == NULL || ledger.missing == NULL) fail("no memory for", "the ledger");
}

/* Whether the message, which is not the next one of its source, came for the first time. */
static bool is_first(size_t cell, int32_t sequence) {
    uint8_t *missing = ledger.missing[cell];
    if (sequence > ledger.last[cell]) {
        if (missing == NULL) missing = ledger.missing[cell] = calloc(ledger.messages / 8 + 1, 1);
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

/* The decimal number in [from, to), or -1 if it holds anything but digits, or nothing. */
static int64_t decimal(const char *from, const char *to) {
    int64_t value = from < to && to - from < 19 ? 0 : -1;
    for (const char *at = from; at < to && value >= 0; at++)
        value = *at < '0' || *at > '9' ? -1 : value * 10 + (*at - '0');
    return value;
}

static void record(int subscriber, const char *stamp, const char *line_end, int64_t read_micros) {
    bool is_whole = line_end - stamp >= STAMP_LENGTH;
    int64_t phase = is_whole ? decimal(stamp + 1, stamp + 6) : -1;
    int64_t source = is_whole ? decimal(stamp + 7, stamp + 11) : -1;
    int64_t sequence = is_whole ? decimal(stamp + 12, stamp + 19) : -1;
    int64_t sent_micros = is_whole ? decimal(stamp + 20, stamp + STAMP_LENGTH) : -1;
    bool is_of_plan = phase == ledger.phase && source >= 0 && source < ledger.sources && sequence >= 0 &&
                      sequence <= ledger.messages && sent_micros >= 0;
    if (!is_of_plan) {
        ledger.duplicated++;
        return;
    }
    size_t cell = (size_t)subscriber * ledger.sources + source;
    if (sequence == ledger.last[cell] + 1) ledger.last[cell] = sequence;
    else if (!is_first(cell, sequence)) return;
    ledger.delivered++;
    count(&ledger.latency, read_micros - sent_micros);
    ledger.last_micros = read_micros;
    if (ledger.delivered == ledger.expected) {
        report("{\"kind\":\"done\"");
        end_report();
    }
}

/* ---- Ramp: what ramp.ts does ---- */

static struct {
    bool is_on, by_head;
    int first, count, window, started, connected, failed;
    int64_t first_micros, last_micros;
    struct histogram latency;
    struct reason failure;
    struct sockaddr_in to, from;
    char host[64], path[4096];
} ramp;

static bool open_subscriber(int index, char const **why);

static void advance_ramp(void) {
    if (!ramp.is_on) return;
    const char *why;
    while (ramp.started < ramp.count && ramp.failed < FAILURES_BEFORE_GIVING_UP &&
           ramp.started - ramp.connected - ramp.failed < ramp.window) {
        if (open_subscriber(ramp.started++, &why)) continue;
        ramp.failed++;
        keep_first(&ramp.failure, why);
    }
    if (ramp.connected + ramp.failed < ramp.started) return;
    ramp.is_on = false;
    report("{\"kind\":\"connected\",\"connected\":%d,\"failed\":%d", ramp.connected, ramp.failed);
    report_reason("failure", &ramp.failure);
    report(",\"firstMicros\":%lld,\"lastMicros\":%lld", (long long)ramp.first_micros, (long long)ramp.last_micros);
    report_histogram(&ramp.latency);
    end_report();
}

/* ---- Subscribers ---- */

static struct subscriber {
    int fd;
    enum { CONNECTING, HEAD, OPENING, OPEN, OVER } state;
    bool is_chunked;
    enum { CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_DATA, CHUNK_AFTER_DATA, CHUNK_LAST } chunk;
    uint64_t chunk_size; /* while CHUNK_DATA: what is still to come of it */
    int64_t last_id, started_micros;
    char *tail; /* what came of a head or frame that is not yet complete */
    size_t tail_length;
} *subscribers;

static int epoll;
/* One buffer for all: in front the tail from before, then what is read. Used up before the next read. */
static char buffer[LONGEST_TAIL + READ_SIZE];

static bool open_subscriber(int index, char const **why) {
    struct subscriber *self = &subscribers[index];
    *self = (struct subscriber){.state = OVER, .last_id = -1, .started_micros = now_micros()};
    self->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *why = strerror(errno);
    if (self->fd < 0) return false;
    /* The port is chosen at connect(), so that it need only be free towards this server. */
    int yes = 1;
    setsockopt(self->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    /* Edge-triggered: one call of epoll_ctl in the subscriber's life, and no second look at what was read empty. */
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.u64 = index};
    bool is_open = (ramp.from.sin_family == 0 || bind(self->fd, (void *)&ramp.from, sizeof ramp.from) == 0) &&
                   (connect(self->fd, (void *)&ramp.to, sizeof ramp.to) == 0 || errno == EINPROGRESS) &&
                   epoll_ctl(epoll, EPOLL_CTL_ADD, self->fd, &event) == 0;
    *why = strerror(errno);
    if (is_open) self->state = CONNECTING;
    else close(self->fd);
    return is_open;
}

static void end_subscriber(struct subscriber *self, const char *why) {
    if (self->state == OVER) return;
    bool was_open = self->state == OPEN;
    self->state = OVER;
    close(self->fd);
    if (was_open) {
        faults.dropped++;
        keep_first(&ending, why);
        return;
    }
    ramp.failed++;
    keep_first(&ramp.failure, why);
    advance_ramp();
}

static void be_ready(struct subscriber *self) {
    if (self->state != OPENING) return;
    self->state = OPEN;
    ramp.connected++;
    ramp.last_micros = now_micros();
    count(&ramp.latency, ramp.last_micros - self->started_micros);
    advance_ramp();
}

static void send_request(struct subscriber *self) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(self->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) {
        end_subscriber(self, strerror(error));
        return;
    }
    char request[2 * sizeof ramp.path];
    size_t at = sprintf(request, "GET ");
    const char *path = ramp.path;
    while (*path != 0 && at < sizeof request - 256) {
        if (strncmp(path, "{n}", 3) == 0) {
            at += sprintf(request + at, "%d", ramp.first + (int)(self - subscribers));
            path += 3;
        } else request[at++] = *path++;
    }
    at += sprintf(request + at,
                  " HTTP/1.1\r\nHost: %s:%d\r\nAccept: text/event-stream\r\nCache-Control: no-cache\r\n\r\n",
                  ramp.host, ntohs(ramp.to.sin_port));
    self->state = HEAD;
    /* A new socket has room for it all. */
    bool is_sent = *path == 0 && send(self->fd, request, at, MSG_NOSIGNAL) == (ssize_t)at;
    if (!is_sent) end_subscriber(self, "the request was too long");
}

/* Takes the chunk framing off, in place, as chunked-body.ts does; returns how much is left. */
static size_t take_off_chunks(struct subscriber *self, char *bytes, size_t length) {
    size_t left = 0;
    for (size_t at = 0; at < length && self->chunk != CHUNK_LAST;) {
        if (self->chunk == CHUNK_DATA) {
            size_t size = length - at < self->chunk_size ? length - at : self->chunk_size;
            memmove(bytes + left, bytes + at, size);
            at += size;
            left += size;
            self->chunk_size -= size;
            if (self->chunk_size == 0) self->chunk = CHUNK_AFTER_DATA;
            continue;
        }
        char byte = bytes[at++];
        if (byte == '\n') {
            if (self->chunk == CHUNK_AFTER_DATA) self->chunk = CHUNK_SIZE;
            else self->chunk = self->chunk_size == 0 ? CHUNK_LAST : CHUNK_DATA;
        } else if (self->chunk == CHUNK_SIZE && byte != '\r') {
            const char *digits = "0123456789abcdef", *digit = memchr(digits, tolower((unsigned char)byte), 16);
            if (digit == NULL) self->chunk = CHUNK_EXTENSION;
            else self->chunk_size = self->chunk_size * 16 + (digit - digits);
        }
    }
    return left;
}

/* The number after the dash of a line whose value is of the form that is checked, `<ms>-<n>`, or -1: other servers have others. */
static int64_t id_number(const char *from, const char *to) {
    const char *value = memchr(from, ':', to - from);
    if (value == NULL) return -1;
    value += value + 1 < to && value[1] == ' ' ? 2 : 1;
    const char *dash = memchr(value, '-', to - value);
    return dash == NULL || decimal(value, dash) < 0 ? -1 : decimal(dash + 1, to);
}

static void take_event(struct subscriber *self, const char *name, size_t length) {
    if (length == 5 && memcmp(name, "ready", 5) == 0) be_ready(self);
    else if (length == 3 && memcmp(name, "gap", 3) == 0) faults.gaps++;
    else if (length == 5 && memcmp(name, "close", 5) == 0) end_subscriber(self, "the server said close");
}

/* Reads the complete frames, as frame-scanner.ts does, and returns where the first incomplete one starts. */
static char *scan_frames(struct subscriber *self, char *from, char *to, int64_t read_micros) {
    char *frame = from, *line_end;
    const char *stamp = NULL, *stamp_end = NULL, *event = NULL;
    size_t event_length = 0;
    int64_t id = -1;
    for (char *line = from; line < to && (line_end = memchr(line, '\n', to - line)) != NULL; line = line_end + 1) {
        if (line == line_end) {
            if (stamp != NULL && id >= 0 && id <= self->last_id) ledger.disordered++;
            if ((stamp != NULL || event_length > 0) && id > self->last_id) self->last_id = id;
            if (stamp != NULL) record(self - subscribers, stamp, stamp_end, read_micros);
            else if (event_length > 0) take_event(self, event, event_length);
            frame = line + 1;
            stamp = NULL;
            event_length = 0;
            id = -1;
        } else if (*line == 'd') {
            stamp = memchr(line, '~', line_end - line);
            stamp_end = line_end;
        } else if (*line == 'i') id = id_number(line, line_end);
        else if (*line == 'e') {
            const char *colon = memchr(line, ':', line_end - line);
            event = colon == NULL ? line : colon + 1;
            while (event < line_end && *event == ' ') event++;
            event_length = line_end - event;
        }
    }
    return frame;
}

/* Reads a head that is complete; `end` is where its empty line starts. */
static void take_head(struct subscriber *self, char *head, char *end) {
    *end = 0;
    for (char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, "transfer-encoding:", 18) != 0) continue;
        const char *value = line + 18;
        self->is_chunked = strncasecmp(value + strspn(value, " "), "chunked", 7) == 0;
    }
    if (strncmp(head, "HTTP/1.0 200 ", 13) != 0 && strncmp(head, "HTTP/1.1 200 ", 13) != 0) {
        head[strcspn(head, "\r")] = 0;
        end_subscriber(self, head);
        return;
    }
    self->state = OPENING;
    if (ramp.by_head) be_ready(self);
}

static void keep_tail(struct subscriber *self, const char *from, size_t length) {
    if (length == 0 && self->tail_length == 0) return;
    free(self->tail);
    self->tail = length == 0 ? NULL : malloc(length);
    self->tail_length = length;
    if (length == 0) return;
    if (self->tail == NULL) fail("no memory for", "a frame");
    memcpy(self->tail, from, length);
}

/* Uses up [buffer, tail + `length`), of which the tail was looked at before. */
static void take(struct subscriber *self, size_t length, int64_t read_micros) {
    char *from = buffer, *fresh = buffer + self->tail_length, *to = fresh + length;
    if (self->state == HEAD) {
        char *end = memmem(from, to - from, "\r\n\r\n", 4);
        if (end == NULL) {
            if (to - from > LONGEST_HEAD) end_subscriber(self, "the head of the response has no end");
        } else {
            take_head(self, from, end);
            from = fresh = end + 4;
        }
    }
    if (self->state == OPENING || self->state == OPEN) {
        if (self->is_chunked) to = fresh + take_off_chunks(self, fresh, to - fresh);
        from = scan_frames(self, from, to, read_micros);
        if (self->chunk == CHUNK_LAST) end_subscriber(self, "the server ended the response");
        else if (to - from > LONGEST_TAIL) end_subscriber(self, "a frame has no end");
    }
    keep_tail(self, from, self->state == OVER ? 0 : to - from);
}

static void serve(struct subscriber *self, uint32_t events) {
    if (self->state == CONNECTING && events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) send_request(self);
    while (self->state != OVER && self->state != CONNECTING) {
        if (self->tail_length > 0) memcpy(buffer, self->tail, self->tail_length);
        ssize_t length = recv(self->fd, buffer + self->tail_length, READ_SIZE, 0);
        int64_t read_micros = now_micros();
        if (length > 0) take(self, length, read_micros);
        else if (length == 0) end_subscriber(self, "the server closed the connection");
        else if (errno == EAGAIN) return;
        else if (errno != EINTR) end_subscriber(self, strerror(errno));
        /* Less than there was room for: it is empty, and what comes now is another edge. Unless the end was in this one. */
        if (length > 0 && length < READ_SIZE && !(events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))) return;
    }
}

/* ---- Polling ---- */

/*
 * While a phase runs, a reader that slept would make the server pay for its waking, an interrupt of another core for each
 * write. What it does in vain meanwhile is not work. The processor time between a poll in vain and one that is not counts
 * as work: in it the kernel received what the second one found.
 */
static struct {
    bool is_on;
    int64_t vain_nanos, vain_since, started_at;
} polling;

static void start_phase(bool polls) {
    polling.is_on = polls;
    polling.vain_nanos = polling.vain_since = 0;
    polling.started_at = nanos(CLOCK_THREAD_CPUTIME_ID);
}

static int64_t worked_micros(void) {
    return (nanos(CLOCK_THREAD_CPUTIME_ID) - polling.started_at - polling.vain_nanos) / 1000;
}

static void count_vain_poll(void) {
    int64_t now = nanos(CLOCK_THREAD_CPUTIME_ID);
    if (polling.vain_since != 0) polling.vain_nanos += now - polling.vain_since;
    polling.vain_since = now;
    /* Publishers and other readers share this core. */
    sched_yield();
}

/* ---- Commands ---- */

static bool begin_ramp(const char *line) {
    int port, rest = 0;
    char ready[8] = "", local[16] = "";
    int read = sscanf(line,
                      "{\"kind\":\"connect\",\"first\":%9d,\"count\":%9d,\"window\":%9d,\"request\":{\"host\":\"%63[^\"\\]\","
                      "\"port\":%5d,\"path\":\"%4095[^\"\\]\",\"ready\":\"%7[a-z]\"%n",
                      &ramp.first, &ramp.count, &ramp.window, ramp.host, &port, ramp.path, ready, &rest);
    if (read != 7 || rest == 0 || ramp.first < 0 || ramp.count < 0 || ramp.window < 1) return false;
    int end = 0;
    if (strcmp(line + rest, "}}") != 0 &&
        (sscanf(line + rest, ",\"localAddress\":\"%15[0-9.]\"}}%n", local, &end) != 1 || end == 0 ||
         line[rest + end] != 0))
        return false;
    ramp.by_head = strcmp(ready, "head") == 0;
    ramp.to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    ramp.from = (struct sockaddr_in){.sin_family = local[0] == 0 ? 0 : AF_INET};
    if (!ramp.by_head && strcmp(ready, "event") != 0) return false;
    if (inet_pton(AF_INET, ramp.host, &ramp.to.sin_addr) != 1) return false;
    if (local[0] != 0 && inet_pton(AF_INET, local, &ramp.from.sin_addr) != 1) return false;
    subscribers = calloc(ramp.count + 1, sizeof *subscribers);
    if (subscribers == NULL) fail("no memory for", "the subscribers");
    ramp.first_micros = now_micros();
    ramp.is_on = true;
    advance_ramp();
    return true;
}

static bool arm(const char *line) {
    int phase, sources, messages, end = 0;
    char polls[8] = "";
    int read = sscanf(line,
                      "{\"kind\":\"arm\",\"plan\":{\"phase\":%9d,\"sources\":%9d,\"messages\":%9d},"
                      "\"polls\":%7[a-z]}%n",
                      &phase, &sources, &messages, polls, &end);
    if (read != 4 || end == 0 || line[end] != 0 || phase < 0 || sources < 0 || messages < 0) return false;
    if (strcmp(polls, "true") != 0 && strcmp(polls, "false") != 0) return false;
    faults.lost += ledger.expected - ledger.delivered;
    faults.duplicated += ledger.duplicated;
    faults.disordered += ledger.disordered;
    open_ledger(phase, sources, messages, ramp.started);
    start_phase(polls[0] == 't');
    reported_delivered = -1;
    report("{\"kind\":\"armed\"");
    end_report();
    return true;
}

static void collect(void) {
    int64_t worked = worked_micros();
    polling.is_on = false;
    report("{\"kind\":\"collected\",\"delivered\":%lld,\"faults\":{\"lost\":%lld,\"duplicated\":%lld,\"disordered\":%lld,"
           "\"gaps\":%lld,\"dropped\":%lld,\"refused\":0}",
           (long long)ledger.delivered, (long long)(faults.lost + ledger.expected - ledger.delivered),
           (long long)(faults.duplicated + ledger.duplicated), (long long)(faults.disordered + ledger.disordered),
           (long long)faults.gaps, (long long)faults.dropped);
    report_reason("ending", &ending);
    report_histogram(&ledger.latency);
    report(",\"lastMicros\":%lld,\"workedMicros\":%lld", (long long)ledger.last_micros, (long long)worked);
    end_report();
    memset(&faults, 0, sizeof faults);
    memset(&ending, 0, sizeof ending);
    open_ledger(0, 0, 0, 0);
}

static _Noreturn void leave(void) {
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    for (int index = 0; index < ramp.started; index++) {
        if (subscribers[index].state == OVER) continue;
        setsockopt(subscribers[index].fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(subscribers[index].fd);
    }
    exit(0);
}

static void obey(const char *line) {
    if (strcmp(line, "{\"kind\":\"leave\"}") == 0) leave();
    if (strcmp(line, "{\"kind\":\"collect\"}") == 0) collect();
    else if (!(subscribers == NULL && begin_ramp(line)) && !arm(line))
        fail("a command that this process does not know", line);
}

static void read_commands(void) {
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

/* Twice a second, if there is news. Returns how many ms there are until the next time. */
static int report_progress(void) {
    static int64_t next_micros;
    int64_t now = now_micros();
    if (now < next_micros) return (next_micros - now) / 1000 + 1;
    next_micros = now + PROGRESS_MICROS;
    if (reported_connected != ramp.connected || reported_delivered != ledger.delivered) {
        reported_connected = ramp.connected;
        reported_delivered = ledger.delivered;
        report("{\"kind\":\"progress\",\"connected\":%d,\"delivered\":%lld", ramp.connected,
               (long long)ledger.delivered);
        end_report();
    }
    return PROGRESS_MICROS / 1000;
}

int main(void) {
    /* The terminal sends Ctrl-C to all; when it is over is the parent's business. */
    signal(SIGINT, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event commands = {.events = EPOLLIN, .data.u64 = (uint64_t)COMMANDS};
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &commands) < 0) fail("epoll", strerror(errno));
    report("{\"kind\":\"up\"");
    end_report();
    struct epoll_event events[EVENTS_AT_ONCE];
    for (;;) {
        int ms = report_progress();
        int found = epoll_wait(epoll, events, EVENTS_AT_ONCE, polling.is_on ? 0 : ms);
        if (found < 0 && errno != EINTR) fail("epoll", strerror(errno));
        if (found > 0) polling.vain_since = 0;
        else if (polling.is_on) count_vain_poll();
        for (int at = 0; at < found; at++) {
            if (events[at].data.u64 == (uint64_t)COMMANDS) read_commands();
            else serve(&subscribers[events[at].data.u64], events[at].events);
        }
    }
}
