/* Subscribers that speak socket.io's protocol (its version 5, on engine.io's version 4) over a websocket. */
#pragma once
#include "subscriber.h"

extern const struct kind socket_io;
