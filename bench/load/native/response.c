#include "response.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "ledger.h"
#include "ramp.h"
#include "subscriber.h"

enum { LONGEST_HEAD = 16 * 1024 /* a server that is none cannot fill the memory */ };

/* What stands in the path for this subscriber; returns how long the name is, or 0 if nothing of the kind is at `path`. */
static size_t expand(const struct subscriber *self, const char *path, char value[LONGEST_CURSOR + 1]) {
    int number = ramp_target()->first + index_of(self);
    if (strncmp(path, "{n}", 3) == 0) return sprintf(value, "%d", number), 3;
    if (strncmp(path, "{v}", 3) == 0) return strcpy(value, self->version), 3;
    if (strncmp(path, "{since}", 7) == 0) return strcpy(value, self->cursor), 7;
    if (path[0] != '{' || path[1] < '0' || path[1] >= '0' + SPREAD_EACH || path[2] != '}') return 0;
    return sprintf(value, "%d", (number + (path[1] - '0') * SPREAD_STRIDE) % SPREAD_CHANNELS), 3;
}

size_t expand_all(const struct subscriber *self, const char *from, char *to, size_t room) {
    size_t at = 0;
    while (*from != 0 && at + LONGEST_CURSOR < room) {
        char value[LONGEST_CURSOR + 1] = "";
        size_t length = expand(self, from, value);
        if (length == 0) to[at++] = *from++;
        else at += sprintf(to + at, "%s", value);
        from += length;
    }
    to[at] = 0;
    return *from == 0 ? at : 0;
}

void send_get(struct subscriber *self, const char *fields) {
    const struct target *target = ramp_target();
    char path[sizeof target->path], request[2 * sizeof path];
    if (expand_all(self, target->path, path, sizeof path) == 0) {
        end_subscriber(self, "the request was too long");
        return;
    }
    bool says_cursor = self->was_open && self->cursor[0] != 0 && strstr(target->path, "{since}") == NULL;
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s:%d\r\n%s%s%s%s\r\n", path, target->host,
                          ntohs(target->to.sin_port), fields, says_cursor ? "Last-Event-ID: " : "",
                          says_cursor ? self->cursor : "", says_cursor ? "\r\n" : "");
    send_text(self, request, length);
}

bool take_head(struct subscriber *self, struct input *input, const char *status) {
    struct response *response = &self->response;
    char *end = memmem(input->from, input->to - input->from, "\r\n\r\n", 4);
    if (end == NULL) {
        if (input->to - input->from > LONGEST_HEAD) end_subscriber(self, "the head of the response has no end");
        return false;
    }
    *end = 0;
    response->has_head = true;
    response->content_length = -1;
    char *head = input->from;
    for (char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        const char *colon = strchr(line, ':'), *value = colon == NULL ? "" : colon + 1 + strspn(colon + 1, " ");
        if (strncasecmp(line, "transfer-encoding:", 18) == 0) response->is_chunked = strncasecmp(value, "chunked", 7) == 0;
        if (strncasecmp(line, "content-length:", 15) == 0) response->content_length = strtoll(value, NULL, 10);
        if (strncasecmp(line, "last-modified:", 14) == 0) keep_text(self->cursor, value, strcspn(value, "\r"));
        if (strncasecmp(line, "etag:", 5) == 0) keep_text(self->version, value, strcspn(value, "\r"));
    }
    input->from = input->fresh = end + 4;
    bool is_http = strncmp(head, "HTTP/1.0 ", 9) == 0 || strncmp(head, "HTTP/1.1 ", 9) == 0;
    if (is_http && strncmp(head + 9, status, 3) == 0) return true;
    head[strcspn(head, "\r")] = 0;
    end_subscriber(self, head);
    return false;
}

const char *take_whole(struct subscriber *self, struct input *input) {
    if (!self->response.has_head && !take_head(self, input, "200")) return NULL;
    int64_t length = self->response.content_length;
    if (length < 0) end_subscriber(self, "an answer without a length");
    if (length < 0 || input->to - input->from < length) return NULL;
    const char *body = input->from;
    input->from += length;
    return body;
}

void take_off_chunks(struct response *self, struct input *input) {
    if (!self->is_chunked) return;
    char *left = input->fresh;
    for (char *at = input->fresh; at < input->to && self->chunk != CHUNK_LAST;) {
        if (self->chunk == CHUNK_DATA) {
            size_t size = (size_t)(input->to - at) < self->chunk_size ? (size_t)(input->to - at) : self->chunk_size;
            memmove(left, at, size);
            at += size;
            left += size;
            self->chunk_size -= size;
            if (self->chunk_size == 0) self->chunk = CHUNK_AFTER_DATA;
            continue;
        }
        char byte = *at++;
        if (byte == '\n') {
            if (self->chunk == CHUNK_AFTER_DATA) self->chunk = CHUNK_SIZE;
            else self->chunk = self->chunk_size == 0 ? CHUNK_LAST : CHUNK_DATA;
        } else if (self->chunk == CHUNK_SIZE && byte != '\r') {
            const char *digits = "0123456789abcdef", *digit = memchr(digits, tolower((unsigned char)byte), 16);
            if (digit == NULL) self->chunk = CHUNK_EXTENSION;
            else self->chunk_size = self->chunk_size * 16 + (digit - digits);
        }
    }
    input->to = left;
}
