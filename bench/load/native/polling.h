/*
 * Keeps the process awake while a phase runs. A reader that slept would make the server pay for its waking, an interrupt of
 * another core for each write. What it does in vain meanwhile is not work. The processor time between a poll in vain and one
 * that is not counts as work: in it the kernel received what the second one found.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* A phase begins. Without `polls` the process sleeps as usual, and all its processor time is work. */
void start_polling(bool polls);

/* The phase is over. Returns the processor time, in µs, since it began that was not spent in vain. */
int64_t stop_polling(void);

/* Whether to look for what has come without waiting for it. */
bool is_polling(void);

/* Something was there. */
void found_something(void);

/* Nothing was there. */
void found_nothing(void);
