/*
 * All subscribers are away for a time, and return with what they have: a storm. They go because this process cuts them off, or
 * because the server died; they return as browsers do, each at a time of its own, and once more when they are turned away.
 */
#pragma once
#include <stdbool.h>
#include "subscriber.h"

/* Cuts all connections. `away` is reported. */
void cut_all(void);

/* The server is about to end all connections, which is no fault from now on. `away` is reported when none is left. */
void expect_ends(void);
bool expects_ends(void);

/* A stream that was open has ended. */
void end_was_seen(void);

/* All return, each at a random time within `spread_ms`. `returned` is reported when all are open or have failed for good. */
void begin_return(int spread_ms);

/* One that was open before is so again. */
void has_returned(struct subscriber *self);

/* One that was open before could not be opened: it tries again, unless the server says that this is in vain. */
void could_not_return(struct subscriber *self, const char *why);

/* Opens those whose time has come. Returns in how many ms the next look is due, or -1 if none is. */
int open_due_ones(void);
