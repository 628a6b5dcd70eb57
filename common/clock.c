/* SPDX-License-Identifier: ISC */
/*
 * Time, for every process.  Holds no state.
 */
#include "clock.h"

#include <stdio.h>

static struct timespec
clock_read(clockid_t id)
{
	struct timespec ts = { 0, 0 };

	/* Cannot fail for the two clocks that are asked for. */
	(void)clock_gettime(id, &ts);
	return ts;
}

uint64_t
clock_monotonic_ms(void)
{
	return clock_monotonic_us() / 1000;
}

uint64_t
clock_monotonic_us(void)
{
	struct timespec ts = clock_read(CLOCK_MONOTONIC);

	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

time_t
clock_wall(void)
{
	return clock_read(CLOCK_REALTIME).tv_sec;
}

void
clock_pause_us(unsigned us)
{
	const struct timespec pause = { .tv_nsec = (long)us * 1000 };

	(void)nanosleep(&pause, NULL);
}

/* Without zone; the epoch for a time that no calendar can hold. */
static void
clock_format(char *dst, size_t size, time_t t)
{
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(dst, size, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		snprintf(dst, size, "1970-01-01T00:00:00");
}

char *
clock_rfc3339(char *dst, size_t size, time_t t)
{
	char second[32];

	clock_format(second, sizeof(second), t);
	snprintf(dst, size, "%sZ", second);
	return dst;
}

char *
clock_rfc3339_now(char *dst, size_t size)
{
	struct timespec ts = clock_read(CLOCK_REALTIME);
	char second[32];

	clock_format(second, sizeof(second), ts.tv_sec);
	snprintf(dst, size, "%s.%03uZ", second,
	    (unsigned)(ts.tv_nsec / 1000000) % 1000);
	return dst;
}
