/* What a load process is told: JSON lines, those of protocol.ts, with their fields in the order that is written there. */
#pragma once

/* Reads what has come on standard input, and does it. What is not understood ends the process. */
void read_commands(void);
