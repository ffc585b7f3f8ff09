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
    if (!self->response.has_head && !take_head(self, input, "200")) return;
    int64_t length = self->response.content_length;
    if (length < 0) end_subscriber(self, "an answer without a length");
    else if (input->to - input->from >= length) {
        const char *body = input->from;
        input->from += length;
        take_answer(self, body, input->from, input->read_micros);
    }
}

const struct kind nchan_poll = {.name = "nchan-poll", .ask = ask, .take = take};
