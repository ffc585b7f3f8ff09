/*
 * The physical limit: a server that does nothing but send(). It asks nobody who a subscriber is, keeps nothing, and sends
 * each message with one call for each subscriber, in turn, and then answers the publisher.
 *
 * GET /readyz is answered and closed, any other GET becomes a stream, any POST is a message to all. Argument: the port.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EVENTS_AT_ONCE = 256,
    BACKLOG = 4096,
    LONGEST_REQUEST = 1024 * 1024, /* a client that is none cannot fill the memory */
    READ_SIZE = 64 * 1024,
};

struct connection {
    int fd;
    struct connection *next, **link; /* of the streams; none of the others */
    char *request, *unsent;
    size_t request_length, unsent_length;
};

static int epoll;
static struct connection *streams;

static _Noreturn void fail(const char *what) {
    perror(what);
    exit(1);
}

static void watch(struct connection *self, int operation, uint32_t events) {
    struct epoll_event event = {.events = events | EPOLLRDHUP, .data.ptr = self};
    if (epoll_ctl(epoll, operation, self->fd, &event) < 0) fail("epoll_ctl");
}

static void append(char **bytes, size_t *length, const char *more, size_t more_length) {
    *bytes = realloc(*bytes, *length + more_length);
    if (*bytes == NULL) fail("realloc");
    memcpy(*bytes + *length, more, more_length);
    *length += more_length;
}

static void end_connection(struct connection *self) {
    if (self->link != NULL) {
        *self->link = self->next;
        if (self->next != NULL) self->next->link = self->link;
    }
    close(self->fd);
    free(self->request);
    free(self->unsent);
    free(self);
}

/* A connection that fails here is ended when epoll says so. */
static void send_bytes(struct connection *self, const char *bytes, size_t length) {
    ssize_t sent = self->unsent_length > 0 ? 0 : send(self->fd, bytes, length, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return;
    if (sent < 0) sent = 0;
    if ((size_t)sent == length) return;
    if (self->unsent_length == 0) watch(self, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    append(&self->unsent, &self->unsent_length, bytes + sent, length - sent);
}

static void send_unsent(struct connection *self) {
    ssize_t sent = send(self->fd, self->unsent, self->unsent_length, MSG_NOSIGNAL);
    if (sent < 0) return;
    self->unsent_length -= sent;
    memmove(self->unsent, self->unsent + sent, self->unsent_length);
    if (self->unsent_length == 0) watch(self, EPOLL_CTL_MOD, EPOLLIN);
}

static void open_stream(struct connection *self) {
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
                               "event: ready\ndata: {}\n\n";
    self->next = streams;
    self->link = &streams;
    if (streams != NULL) streams->link = &self->next;
    streams = self;
    send_bytes(self, head, sizeof head - 1);
}

static void publish(const char *body, size_t length) {
    static char frame[LONGEST_REQUEST + 16];
    memcpy(frame, "data: ", 6);
    memcpy(frame + 6, body, length);
    memcpy(frame + 6 + length, "\n\n", 2);
    for (struct connection *stream = streams; stream != NULL; stream = stream->next)
        send_bytes(stream, frame, length + 8);
}

static bool starts_with(const struct connection *self, const char *text) {
    size_t length = strlen(text);
    return self->request_length >= length && memcmp(self->request, text, length) == 0;
}

/* Carries out what is complete of the request; returns how many bytes of it that was. */
static size_t serve_request(struct connection *self) {
    static const char empty[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    char *head_end = memmem(self->request, self->request_length, "\r\n\r\n", 4);
    if (head_end == NULL) return 0;
    size_t head_length = head_end + 4 - self->request;
    if (starts_with(self, "GET /readyz ")) send_bytes(self, empty, sizeof empty - 1);
    else if (starts_with(self, "GET ")) open_stream(self);
    else {
        *head_end = 0;
        const char *field = strcasestr(self->request, "\ncontent-length:");
        *head_end = '\r';
        size_t length = field == NULL ? 0 : strtoul(field + 16, NULL, 10);
        if (self->request_length < head_length + length) return 0;
        publish(self->request + head_length, length);
        send_bytes(self, empty, sizeof empty - 1);
        return head_length + length;
    }
    return head_length;
}

/* Returns false if the connection is over. */
static bool read_request(struct connection *self) {
    static char buffer[READ_SIZE];
    ssize_t length = recv(self->fd, buffer, sizeof buffer, 0);
    if (length < 0) return errno == EAGAIN || errno == EINTR;
    if (length == 0 || self->request_length + length > LONGEST_REQUEST) return false;
    append(&self->request, &self->request_length, buffer, length);
    for (size_t served; (served = serve_request(self)) > 0;) {
        self->request_length -= served;
        memmove(self->request, self->request + served, self->request_length);
    }
    if (self->request_length > 0) return true;
    free(self->request);
    self->request = NULL;
    return true;
}

static void accept_all(int listener) {
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        int yes = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        struct connection *connection = calloc(1, sizeof *connection);
        if (connection == NULL) fail("calloc");
        connection->fd = fd;
        watch(connection, EPOLL_CTL_ADD, EPOLLIN);
    }
}

static int listen_on(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (void *)&address, sizeof address) < 0 || listen(listener, BACKLOG) < 0) fail("listen");
    return listener;
}

int main(int count, char **arguments) {
    if (count != 2) return 2;
    signal(SIGINT, SIG_IGN);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_on(atoi(arguments[1]));
    struct epoll_event listening = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &listening) < 0) fail("epoll");
    struct epoll_event events[EVENTS_AT_ONCE];
    for (;;) {
        int found = epoll_wait(epoll, events, EVENTS_AT_ONCE, -1);
        if (found < 0 && errno != EINTR) fail("epoll_wait");
        for (int at = 0; at < found; at++) {
            struct connection *connection = events[at].data.ptr;
            if (connection == NULL) {
                accept_all(listener);
                continue;
            }
            if (events[at].events & EPOLLOUT && connection->unsent_length > 0) send_unsent(connection);
            bool is_over = events[at].events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP);
            if (is_over || (events[at].events & EPOLLIN && !read_request(connection))) end_connection(connection);
        }
    }
}
