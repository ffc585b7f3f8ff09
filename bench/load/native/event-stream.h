/* Subscribers that read Server-Sent Events, as frame-scanner.ts does. */
#pragma once
#include "subscriber.h"

extern const struct kind event_stream;
