/* Subscribers that ask Nchan again as soon as they are answered: one message an answer. */
#pragma once
#include "subscriber.h"

extern const struct kind nchan_poll;
