/* Opens connections, only so many at a time, and takes the time: what ramp.ts does. */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include "subscriber.h"

/* Whom to connect to, and how. */
struct target {
    const struct kind *kind;
    bool is_ready_by_head; /* the head of the response says ready, where a server has no event for it */
    int first;             /* number of the first subscriber */
    struct sockaddr_in to, from;
    char host[64], path[4096];
};

/* The same for all of the process; empty before the ramp. */
const struct target *ramp_target(void);

/* Starts. `connected` is reported when all are open or too many have failed. */
void begin_ramp(const struct target *target, int count, int window);

/* One of those that were never open is. */
void has_connected(struct subscriber *self);

/* One of those that were never open could not be opened. */
void could_not_connect(const char *why);

/* How many have been started, and how many of them were open at any time. */
int ramp_started(void);
int ramp_connected(void);
