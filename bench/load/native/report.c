#include "report.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

_Noreturn void fail(const char *what, const char *which) {
    fprintf(stderr, "%s: %s\n", what, which);
    exit(1);
}

void report(const char *format, ...) {
    va_list values;
    va_start(values, format);
    vprintf(format, values);
    va_end(values);
}

void end_report(void) {
    puts("}");
    fflush(stdout);
}

void keep_first(struct reason *reason, const char *why) {
    if (reason->text[0] != 0) return;
    snprintf(reason->text, sizeof reason->text, "%s", why);
    for (char *at = reason->text; *at != 0; at++)
        if (*at < ' ' || *at > '~' || *at == '"' || *at == '\\') *at = '?';
}

void report_reason(const char *name, const struct reason *reason) {
    if (reason->text[0] != 0) report(",\"%s\":\"%s\"", name, reason->text);
}
