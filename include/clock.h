/* SPDX-License-Identifier: ISC */
/*
 * Time.  Monotonic time for deadlines, wall time for tokens and logs.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

uint64_t	 clock_monotonic_ms(void);
uint64_t	 clock_monotonic_us(void);
time_t		 clock_wall(void);
/* Sleep, below a second; shorter when a signal comes. */
void		 clock_pause_us(unsigned);
/* RFC 3339 in UTC, "2026-01-02T03:04:05Z"; size >= 21.  Returns dst. */
char		*clock_rfc3339(char *dst, size_t size, time_t);
/* With milliseconds, for logs: "2026-01-02T03:04:05.678Z"; size >= 25. */
char		*clock_rfc3339_now(char *dst, size_t size);

#endif
