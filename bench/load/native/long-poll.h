/* Subscribers that ask again as soon as they are answered. */
#pragma once
#include "subscriber.h"

extern const struct kind long_poll;
