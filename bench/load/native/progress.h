/* Says twice a second how far the process is, if there is news. */
#pragma once

/* Returns how many ms there are until the next time. */
int report_progress(void);

/* The next progress is news, even if it says the same. */
void forget_progress(void);
