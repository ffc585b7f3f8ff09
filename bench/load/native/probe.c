/*
 * Asks a server from outside, at fixed times, whether it is alive, and takes the time: the program of a process beside the
 * readers. What it measures must not be the load's own delay, so it goes before all others on its core where that is
 * allowed, asks over another connection while an answer is due, and says how late it was itself.
 *
 * Commands and reports are those of protocol.ts, as JSON lines.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "clock.h"
#include "histogram.h"
#include "report.h"

enum {
    CONNECTIONS = 512, /* so many questions may wait for an answer; the next ones count as refused */
    PRIORITY = 50,
    ON_ITS_WAY_MICROS = 1000 * 1000, /* a question that is younger at the end was not refused: it took so long at least */
    COMMANDS = CONNECTIONS, /* their places among what is waited for */
    TIMER,
    WAITED_FOR,
};

static struct {
    struct sockaddr_in to;
    char request[512];
    int every_micros;
    int64_t due_micros; /* when the next question is */
    int64_t asked, refused;
    struct histogram latency, lateness;
} probe;

static struct pollfd waited_for[WAITED_FOR];
/* When the question was asked that is not yet answered on this connection; 0: none is. */
static int64_t asked_micros[CONNECTIONS];

static void connect_all(void) {
    for (int at = 0; at < CONNECTIONS; at++) {
        int yes = 1, connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connection < 0 || connect(connection, (void *)&probe.to, sizeof probe.to) < 0)
            fail("the probe cannot connect", strerror(errno));
        fcntl(connection, F_SETFL, O_NONBLOCK);
        setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        waited_for[at] = (struct pollfd){.fd = connection, .events = POLLIN};
        asked_micros[at] = 0;
    }
}

static void start_timer(void) {
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    struct timespec every = {.tv_sec = probe.every_micros / 1000000, .tv_nsec = probe.every_micros % 1000000 * 1000};
    probe.due_micros = now_micros() + probe.every_micros;
    struct timespec first = {.tv_sec = probe.due_micros / 1000000, .tv_nsec = probe.due_micros % 1000000 * 1000};
    struct itimerspec times = {.it_value = first, .it_interval = every};
    if (timer < 0 || timerfd_settime(timer, TFD_TIMER_ABSTIME, &times, NULL) < 0) fail("timer", strerror(errno));
    waited_for[TIMER] = (struct pollfd){.fd = timer, .events = POLLIN};
}

static bool begin(const char *line) {
    char host[64], path[256];
    int port, ms, end = 0;
    int read = sscanf(line,
                      "{\"kind\":\"probe\",\"host\":\"%63[0-9.]\",\"port\":%5d,\"path\":\"%255[^\"\\]\",\"everyMs\":%5d}%n",
                      host, &port, path, &ms, &end);
    if (read != 4 || end == 0 || line[end] != 0 || ms < 1) return false;
    memset(&probe, 0, sizeof probe);
    probe.every_micros = ms * 1000;
    probe.to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, host, &probe.to.sin_addr) != 1) return false;
    snprintf(probe.request, sizeof probe.request, "GET %s HTTP/1.1\r\nHost: %s:%d\r\n\r\n", path, host, port);
    connect_all();
    start_timer();
    report("{\"kind\":\"probing\"");
    end_report();
    return true;
}

static void forget(int at) {
    if (waited_for[at].fd >= 0) close(waited_for[at].fd);
    waited_for[at] = (struct pollfd){.fd = -1};
}

static void end(void) {
    for (int at = 0; at < CONNECTIONS; at++) {
        if (asked_micros[at] == 0) continue;
        int64_t age = now_micros() - asked_micros[at];
        if (age < ON_ITS_WAY_MICROS) count(&probe.latency, age);
        else probe.refused++;
    }
    report("{\"kind\":\"probed\",\"asked\":%lld,\"refused\":%lld", (long long)probe.asked, (long long)probe.refused);
    report_histogram("latency", &probe.latency);
    report_histogram("lateness", &probe.lateness);
    end_report();
    for (int at = 0; at < CONNECTIONS; at++) forget(at);
    forget(TIMER);
}

static void ask(void) {
    int at = 0;
    while (at < CONNECTIONS && (waited_for[at].fd < 0 || asked_micros[at] != 0)) at++;
    probe.asked++;
    if (at == CONNECTIONS) {
        probe.refused++;
        return;
    }
    asked_micros[at] = now_micros();
    /* What fails here is found out at the next look. */
    send(waited_for[at].fd, probe.request, strlen(probe.request), MSG_NOSIGNAL);
}

static void ask_what_is_due(void) {
    uint64_t times;
    if (read(waited_for[TIMER].fd, &times, sizeof times) != sizeof times) return;
    count(&probe.lateness, now_micros() - probe.due_micros);
    probe.due_micros += (int64_t)times * probe.every_micros;
    ask();
}

/* The answer fits one read: a head and a few bytes. What comes unasked is the end of the connection. */
static void take_answer(int at) {
    char answer[4096];
    ssize_t length = recv(waited_for[at].fd, answer, sizeof answer, 0);
    if (length < 0 && errno == EAGAIN) return;
    bool is_asked = asked_micros[at] != 0;
    bool is_answer = is_asked && length >= 13 && memcmp(answer, "HTTP/1.1 200 ", 13) == 0;
    if (is_answer) count(&probe.latency, now_micros() - asked_micros[at]);
    else {
        probe.refused += is_asked;
        forget(at);
    }
    asked_micros[at] = 0;
}

static void obey(void) {
    static char line[1024];
    static size_t length;
    ssize_t read_length = read(STDIN_FILENO, line + length, sizeof line - length - 1);
    if (read_length <= 0) exit(1);
    length += read_length;
    line[length] = 0;
    char *line_end = strchr(line, '\n');
    if (line_end == NULL) return;
    *line_end = 0;
    length = 0;
    if (strcmp(line, "{\"kind\":\"leave\"}") == 0) exit(0);
    if (strcmp(line, "{\"kind\":\"stop\"}") == 0) end();
    else if (!begin(line)) fail("a command that this process does not know", line);
}

int main(void) {
    signal(SIGINT, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    bool is_urgent = sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = PRIORITY}) == 0;
    for (int at = 0; at < WAITED_FOR; at++) waited_for[at].fd = -1;
    waited_for[COMMANDS] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    report("{\"kind\":\"up\",\"isUrgent\":%s", is_urgent ? "true" : "false");
    end_report();
    for (;;) {
        if (poll(waited_for, WAITED_FOR, -1) < 0 && errno != EINTR) fail("poll", strerror(errno));
        for (int at = 0; at < CONNECTIONS; at++)
            if (waited_for[at].fd >= 0 && waited_for[at].revents != 0) take_answer(at);
        if (waited_for[TIMER].fd >= 0 && waited_for[TIMER].revents != 0) ask_what_is_due();
        if (waited_for[COMMANDS].revents != 0) obey();
    }
}
