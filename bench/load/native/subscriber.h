/* One subscriber: its socket, and what of a head, frame or answer is not yet complete. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "response.h"

enum { READ_SIZE = 256 * 1024, LONGEST_CURSOR = 63 };

struct subscriber {
    int fd;
    /* AWAY: not yet, not any more, or for a time. OPENING: connected, and not yet what the server calls ready. */
    enum { AWAY, CONNECTING, OPENING, OPEN } state;
    bool was_open; /* at any time */
    struct response response;
    int64_t last_id;         /* the number that the last event id ended with */
    int64_t started_micros;  /* when it first tried to connect, this time */
    int64_t due_micros;      /* when it is to connect again; 0: not at all */
    int retry_ms;            /* what the server asked for; 0: nothing */
    char cursor[LONGEST_CURSOR + 1];  /* the last event id, as the server wrote it; of Nchan's answers, Last-Modified */
    char version[LONGEST_CURSOR + 1]; /* of `ready`, for a poll; of Nchan's answers, Etag */
    char *tail;
    size_t tail_length;
};

/* What came and is not used up. */
struct input {
    char *from;  /* what was looked at before starts here */
    char *fresh; /* what is new starts here */
    char *to;
    int64_t read_micros;
};

/* A way to subscribe. One file each. */
struct kind {
    /* What it is called in StreamRequest. */
    const char *name;
    /* The socket is connected: ask the server. */
    void (*ask)(struct subscriber *self);
    /* Uses up what it can of the input, and moves its ends to what is left. */
    void (*take)(struct subscriber *self, struct input *input);
};

/* All of the process: `subscriber_count()` of them. */
struct subscriber *subscriber_at(int index);
int subscriber_count(void);
int index_of(const struct subscriber *self);

/* Makes room for them, which connect later. Once in a process' life. */
void make_subscribers(int count);

/* How many are OPEN. */
int standing(void);

/* Connects, to what the ramp says. Returns false, and why, if that fails at once. */
bool open_subscriber(struct subscriber *self, const char **why);

/* The server says that it is open. Only the first time counts. */
void be_ready(struct subscriber *self);

/* The connection is over, and not by our will. */
void end_subscriber(struct subscriber *self, const char *why);

/* Resets the connection, if it is there: ten thousand sockets in TIME_WAIT would cost the next round its ports. */
void cut_subscriber(struct subscriber *self);

/* Sends it; a new socket, or one whose last request was answered, has room for it all. */
void send_text(struct subscriber *self, const char *text, size_t length);

/* Keeps `length` bytes from `from`, if they are not too many, in one of the short fields. */
void keep_text(char field[LONGEST_CURSOR + 1], const char *from, size_t length);

/* Its events in the kernel are these. */
void serve(struct subscriber *self, uint32_t events);

/* The descriptor that epoll_wait() is called with; `data` of a subscriber's event is its index. */
int epoll_descriptor(void);
