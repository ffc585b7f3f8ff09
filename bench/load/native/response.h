/* HTTP, as far as a subscriber has to know it: what it asks, and the head and the framing of what it is answered. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct subscriber;
struct input;

/* How far a response has been read. All zero: nothing has come. */
struct response {
    bool has_head;
    bool is_chunked;
    enum { CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_DATA, CHUNK_AFTER_DATA, CHUNK_LAST } chunk;
    uint64_t chunk_size;    /* while CHUNK_DATA: what is still to come of it */
    int64_t content_length; /* -1: the head does not say */
};

/*
 * Sends a GET for the ramp's path, with a number of this subscriber or what it has in place of {n}, {0} to {4}, {since} and {v},
 * as protocol.ts says.
 */
void send_get(struct subscriber *self, const char *accept);

/*
 * Reads the head, if it is complete; the input starts with the body then. Ends the subscriber if it is another answer than 200,
 * or has no end. Returns whether there is a body to read.
 */
bool take_head(struct subscriber *self, struct input *input);

/* Takes the chunk framing off what is new, in place, if there is one. */
void take_off_chunks(struct response *self, struct input *input);
