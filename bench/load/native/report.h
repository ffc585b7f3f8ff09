/* What a load process says: JSON lines on standard output, those of protocol.ts. */
#pragma once

/* Ends the process with a sentence on standard error. */
_Noreturn void fail(const char *what, const char *which);

/* A part of a report, as printf() does it. */
__attribute__((format(printf, 1, 2))) void report(const char *format, ...);

/* The end of a report, whose last brace is not yet there. */
void end_report(void);

/* A reason, of which the first is kept. Made of what no JSON string has to escape. */
struct reason {
    char text[256];
};

void keep_first(struct reason *reason, const char *why);

/* As a field of a report, if there is one. */
void report_reason(const char *name, const struct reason *reason);
