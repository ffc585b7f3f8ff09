#include "nchan-poll.h"
#include <stdio.h>
#include <string.h>
#include "ledger.h"

/* Says which message it has, by the head of the answer that brought it. */
static void ask(struct subscriber *self) {
    char fields[4 * LONGEST_CURSOR] = "";
    if (self->cursor[0] != 0)
        snprintf(fields, sizeof fields, "If-Modified-Since: %s\r\nIf-None-Match: %s\r\n", self->cursor, self->version);
    send_get(self, fields);
    /* Nothing else says that the server knows it: who publishes waits until the server has no more to do. */
    be_ready(self);
}

/* The message, and nothing else. */
static void take_answer(struct subscriber *self, const char *from, const char *to, int64_t read_micros) {
    const char *stamp = memchr(from, '~', to - from);
    if (stamp == NULL) {
        end_subscriber(self, "an answer without a message");
        return;
    }
    record(index_of(self), stamp, to, read_micros);
    record_answer();
    self->response = (struct response){0};
    ask(self);
}

static void take(struct subscriber *self, struct input *input) {
    const char *body = take_whole(self, input);
    if (body != NULL) take_answer(self, body, input->from, input->read_micros);
}

const struct kind nchan_poll = {.name = "nchan-poll", .ask = ask, .take = take};
