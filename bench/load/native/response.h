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
 * Writes a text with a number of this subscriber or what it has in place of {n}, {0} to {4}, {since} and {v}, as protocol.ts says.
 * Returns its length, or 0 if there is no room for it.
 */
size_t expand_all(const struct subscriber *self, const char *from, char *to, size_t room);

/* Sends a GET for the ramp's path. `fields` are lines of the head, each with its end. */
void send_get(struct subscriber *self, const char *fields);

/*
 * Reads the head, if it is complete; the input starts with the body then. Ends the subscriber if it is an answer of another
 * status, or has no end. Returns whether there is a body to read.
 */
bool take_head(struct subscriber *self, struct input *input, const char *status);

/*
 * Reads an answer that is whole at once, of status 200 and with a length. Returns its body, up to where the input starts then, or
 * NULL if it has not come in full.
 */
const char *take_whole(struct subscriber *self, struct input *input);

/* Takes the chunk framing off what is new, in place, if there is one. */
void take_off_chunks(struct response *self, struct input *input);
