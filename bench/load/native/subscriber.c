#include "subscriber.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "absence.h"
#include "clock.h"
#include "ledger.h"
#include "ramp.h"
#include "report.h"

/* Of a frame or an answer that is not yet complete: a server that is none cannot fill the memory. */
enum { LONGEST_TAIL = 1024 * 1024 };

static struct subscriber *subscribers;
static int subscriber_total, open_total;
/* One buffer for all: in front the tail from before, then what is read. Used up before the next read. */
static char buffer[LONGEST_TAIL + READ_SIZE];

struct subscriber *subscriber_at(int index) { return &subscribers[index]; }
int subscriber_count(void) { return subscriber_total; }
int index_of(const struct subscriber *self) { return self - subscribers; }
int standing(void) { return open_total; }

void make_subscribers(int count) {
    subscribers = calloc(count + 1, sizeof *subscribers);
    if (subscribers == NULL) fail("no memory for", "the subscribers");
    for (int index = 0; index < count; index++) subscribers[index].last_id = -1;
    subscriber_total = count;
}

int epoll_descriptor(void) {
    static int descriptor = -1;
    if (descriptor < 0) descriptor = epoll_create1(EPOLL_CLOEXEC);
    if (descriptor < 0) fail("epoll", strerror(errno));
    return descriptor;
}

bool open_subscriber(struct subscriber *self, const char **why) {
    self->response = (struct response){0};
    self->due_micros = self->retry_ms = 0;
    self->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *why = strerror(errno);
    if (self->fd < 0) return false;
    /* The port is chosen at connect(), so that it need only be free towards this server. */
    int yes = 1;
    setsockopt(self->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    /* Edge-triggered: one call of epoll_ctl in the socket's life, and no second look at what was read empty. */
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.u64 = index_of(self)};
    const struct target *target = ramp_target();
    bool is_open = (target->from.sin_family == 0 || bind(self->fd, (void *)&target->from, sizeof target->from) == 0) &&
                   (connect(self->fd, (void *)&target->to, sizeof target->to) == 0 || errno == EINPROGRESS) &&
                   epoll_ctl(epoll_descriptor(), EPOLL_CTL_ADD, self->fd, &event) == 0;
    *why = strerror(errno);
    if (is_open) self->state = CONNECTING;
    else close(self->fd);
    return is_open;
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

/* Without a connection. Returns whether it was open. */
static bool go_away(struct subscriber *self) {
    bool was_open = self->state == OPEN;
    open_total -= was_open;
    self->state = AWAY;
    close(self->fd);
    return was_open;
}

void end_subscriber(struct subscriber *self, const char *why) {
    if (self->state == AWAY) return;
    if (go_away(self)) {
        if (!expects_ends()) record_drop(why);
        end_was_seen();
    } else if (self->was_open) could_not_return(self, why);
    else could_not_connect(why);
}

void cut_subscriber(struct subscriber *self) {
    if (self->state == AWAY) return;
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(self->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    go_away(self);
    keep_tail(self, NULL, 0);
}

void be_ready(struct subscriber *self) {
    if (self->state != OPENING) return;
    self->state = OPEN;
    open_total++;
    if (self->was_open) has_returned(self);
    else has_connected(self);
}

void send_text(struct subscriber *self, const char *text, size_t length) {
    bool is_sent = send(self->fd, text, length, MSG_NOSIGNAL) == (ssize_t)length;
    if (!is_sent) end_subscriber(self, "the request could not be sent");
}

void keep_text(char field[LONGEST_CURSOR + 1], const char *from, size_t length) {
    if (length > LONGEST_CURSOR) return;
    memcpy(field, from, length);
    field[length] = 0;
}

static void ask(struct subscriber *self) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(self->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error == 0) {
        self->state = OPENING;
        ramp_target()->kind->ask(self);
    } else end_subscriber(self, strerror(error));
}

/* Uses up [buffer, tail + `length`), of which the tail was looked at before. */
static void take(struct subscriber *self, size_t length, int64_t read_micros) {
    char *fresh = buffer + self->tail_length;
    struct input input = {.from = buffer, .fresh = fresh, .to = fresh + length, .read_micros = read_micros};
    ramp_target()->kind->take(self, &input);
    if (input.to - input.from > LONGEST_TAIL) end_subscriber(self, "what came has no end");
    keep_tail(self, input.from, self->state == AWAY ? 0 : input.to - input.from);
}

void serve(struct subscriber *self, uint32_t events) {
    if (self->state == CONNECTING && events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) ask(self);
    while (self->state == OPENING || self->state == OPEN) {
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
