#include "socket-io.h"
#include <stdio.h>
#include <string.h>
#include "ledger.h"
#include "ramp.h"

/* Of a websocket, RFC 6455, 5.2. */
enum {
    OPCODE = 0x0f,
    TEXT = 1,
    CLOSE = 8,
    LAST = 0x80,   /* of the parts of a message */
    MASKED = 0x80, /* as what a client sends has to be */
    LENGTH = 0x7f,
    LONGEST_SAID = 125, /* what needs no more bytes for its length */
    LENGTH_OF_2_BYTES = 126,
    LENGTH_OF_8_BYTES = 127,
    HEAD = 2,
    MASK = 4,
};

/* A part of what came. */
struct packet {
    const char *from, *to;
};

/* The key is that of the example in RFC 6455, and what the server makes of it is not looked at: it is no stranger. */
static void ask(struct subscriber *self) {
    send_get(self, "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
}

/* In a frame whose mask is zero, which changes nothing. */
static void say(struct subscriber *self, const char *text) {
    char frame[HEAD + MASK + LONGEST_SAID] = {(char)(LAST | TEXT), (char)(MASKED | strlen(text))};
    send_text(self, frame, HEAD + MASK + sprintf(frame + HEAD + MASK, "%s", text));
}

/* With the token of the path, since a server may forget the first request. */
static void say_who(struct subscriber *self) {
    const char *name = "token=", *path = strstr(ramp_target()->path, name);
    char token[LONGEST_SAID - 16] = "", text[LONGEST_SAID];
    if (path != NULL) expand_all(self, path + strlen(name), token, sizeof token);
    sprintf(text, "40{\"token\":\"%s\"}", token);
    say(self, text);
}

static bool starts(struct packet packet, const char *with) {
    size_t length = strlen(with);
    return (size_t)(packet.to - packet.from) >= length && memcmp(packet.from, with, length) == 0;
}

/* The first digit is engine.io's: open, close, ping, message. A second one is socket.io's: connect, disconnect, event, error. */
static void take_packet(struct subscriber *self, struct packet packet, int64_t read_micros) {
    if (starts(packet, "42")) {
        const char *stamp = memchr(packet.from, '~', packet.to - packet.from);
        if (stamp != NULL) record(index_of(self), stamp, packet.to, read_micros);
    } else if (starts(packet, "2")) say(self, "3");
    else if (starts(packet, "0")) say_who(self);
    else if (starts(packet, "40")) be_ready(self);
    else if (starts(packet, "44")) end_subscriber(self, "the server refused to connect");
    else if (starts(packet, "41") || starts(packet, "1")) end_subscriber(self, "the server said close");
}

/* Reads the frame at the start of the input, if it is complete. Returns where it ends, or NULL. */
static char *take_frame(struct subscriber *self, const struct input *input) {
    const unsigned char *bytes = (const unsigned char *)input->from;
    size_t room = input->to - input->from, head = HEAD;
    if (room < head) return NULL;
    uint64_t length = bytes[1] & LENGTH;
    int more = length == LENGTH_OF_2_BYTES ? 2 : length == LENGTH_OF_8_BYTES ? 8 : 0;
    head += more;
    if (room < head) return NULL;
    if (more > 0) length = 0;
    for (int at = 0; at < more; at++) length = length << 8 | bytes[HEAD + at];
    if (room - head < length) return NULL;
    struct packet packet = {input->from + head, input->from + head + length};
    if (bytes[0] == (LAST | TEXT)) take_packet(self, packet, input->read_micros);
    else if ((bytes[0] & OPCODE) == CLOSE) end_subscriber(self, "the server said close");
    else end_subscriber(self, "a frame of a kind that is not known here");
    return input->from + head + length;
}

static void take(struct subscriber *self, struct input *input) {
    if (!self->response.has_head && !take_head(self, input, "101")) return;
    for (char *end; self->state != AWAY && (end = take_frame(self, input)) != NULL;) input->from = end;
}

const struct kind socket_io = {.name = "socket.io", .ask = ask, .take = take};
