#include "event-stream.h"
#include <stdlib.h>
#include <string.h>
#include "ledger.h"
#include "ramp.h"

static void ask(struct subscriber *self) { send_get(self, "Accept: text/event-stream\r\nCache-Control: no-cache\r\n"); }

/* A part of a line. */
struct text {
    const char *from;
    size_t length;
};

/* What follows the colon, and the blanks behind it. */
static struct text value_of(const char *line, const char *line_end) {
    const char *colon = memchr(line, ':', line_end - line), *value = colon == NULL ? line : colon + 1;
    while (value < line_end && *value == ' ') value++;
    return (struct text){value, line_end - value};
}

static bool is(struct text text, const char *word) {
    return text.length == strlen(word) && memcmp(text.from, word, text.length) == 0;
}

/* The number that an id of the form `<ms>-<n>` ends with, or -1: ids of other forms say nothing about the order. */
static int64_t id_number(struct text id) {
    const char *to = id.from + id.length, *dash = memchr(id.from, '-', id.length);
    return dash == NULL || decimal(id.from, dash) < 0 ? -1 : decimal(dash + 1, to);
}

static void take_event(struct subscriber *self, struct text name) {
    if (is(name, "ready")) be_ready(self);
    else if (is(name, "gap")) record_gap(index_of(self));
    else if (is(name, "close")) end_subscriber(self, "the server said close");
}

/* Reads the complete frames, and moves the start of the input to the first that is not. */
static void scan_frames(struct subscriber *self, struct input *input) {
    const char *stamp = NULL, *stamp_end = NULL;
    struct text event = {0}, id_text = {0}, last_id_text = {0};
    int64_t id = -1;
    char *line_end;
    for (char *line = input->from; (line_end = memchr(line, '\n', input->to - line)) != NULL; line = line_end + 1) {
        if (line == line_end) {
            if (stamp != NULL && id >= 0 && id <= self->last_id) record_disorder();
            if ((stamp != NULL || event.length > 0) && id > self->last_id) {
                self->last_id = id;
                last_id_text = id_text;
            }
            if (stamp != NULL) record(index_of(self), stamp, stamp_end, input->read_micros);
            else if (event.length > 0) take_event(self, event);
            input->from = line + 1;
            stamp = NULL;
            event.length = 0;
            id = -1;
        } else if (*line == 'd') {
            stamp = memchr(line, '~', line_end - line);
            stamp_end = line_end;
        } else if (*line == 'i') {
            id_text = value_of(line, line_end);
            id = id_number(id_text);
        } else if (*line == 'e') event = value_of(line, line_end);
        else if (*line == 'r') self->retry_ms = atoi(value_of(line, line_end).from);
    }
    if (last_id_text.length > 0) keep_text(self->cursor, last_id_text.from, last_id_text.length);
}

static void take(struct subscriber *self, struct input *input) {
    if (!self->response.has_head) {
        if (!take_head(self, input, "200")) return;
        if (ramp_target()->is_ready_by_head) be_ready(self);
    }
    take_off_chunks(&self->response, input);
    scan_frames(self, input);
    if (self->response.chunk == CHUNK_LAST) end_subscriber(self, "the server ended the response");
}

const struct kind event_stream = {.name = "stream", .ask = ask, .take = take};
