#include "long-poll.h"
#include <string.h>
#include "ledger.h"

static void ask(struct subscriber *self) { send_get(self, "Accept: application/json\r\nCache-Control: no-cache\r\n"); }

/* The place after `name` in [from, to), or NULL. */
static const char *after(const char *name, const char *from, const char *to) {
    const char *at = from < to ? memmem(from, to - from, name, strlen(name)) : NULL;
    return at == NULL ? NULL : at + strlen(name);
}

/* Keeps the JSON string whose text starts at `from`; it holds no escapes. */
static void keep_string(char field[LONGEST_CURSOR + 1], const char *from, const char *to) {
    const char *end = from == NULL ? NULL : memchr(from, '"', to - from);
    if (end != NULL) keep_text(field, from, end - from);
}

/* Records the messages, each of which has its id in front of its stamp; returns where the last one's stamp ends. */
static const char *take_messages(struct subscriber *self, const char *from, const char *to, int64_t read_micros) {
    const char *stamp;
    while ((stamp = memchr(from, '~', to - from)) != NULL) {
        const char *id = after("\"id\":\"", from, stamp), *id_end = id == NULL ? NULL : memchr(id, '"', stamp - id);
        const char *dash = id_end == NULL ? NULL : memrchr(id, '-', id_end - id);
        int64_t number = dash == NULL ? -1 : decimal(dash + 1, id_end);
        if (number >= 0 && number <= self->last_id) record_disorder();
        if (number > self->last_id) self->last_id = number;
        record(index_of(self), stamp, to, read_micros);
        from = stamp + 1;
    }
    return from;
}

/* `{"cursor":"…","messages":[{"id":"…",…},…],"ready":{…,"v":"…"},"gap":{…},"close":{…}}`, of which the last three may be absent. */
static void take_answer(struct subscriber *self, const char *from, const char *to, int64_t read_micros) {
    keep_string(self->cursor, after("{\"cursor\":\"", from, to), to);
    const char *rest = take_messages(self, from, to, read_micros);
    if (rest != from) record_answer();
    const char *ready = after("\"ready\":{", rest, to);
    if (ready != NULL) keep_string(self->version, after("\"v\":\"", ready, to), to);
    if (after("\"gap\":{", rest, to) != NULL) record_gap(index_of(self));
    if (after("\"close\":{", rest, to) != NULL) {
        end_subscriber(self, "the server said close");
        return;
    }
    be_ready(self);
    self->response = (struct response){0};
    ask(self);
}

static void take(struct subscriber *self, struct input *input) {
    const char *body = take_whole(self, input);
    if (body != NULL) take_answer(self, body, input->from, input->read_micros);
}

const struct kind long_poll = {.name = "poll", .ask = ask, .take = take};
