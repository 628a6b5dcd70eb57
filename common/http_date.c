/* SPDX-License-Identifier: ISC */
/*
 * The date format of HTTP, whatever the locale.
 */
#include "http_date.h"

#include <stdio.h>

char *
http_date_format(char dst[HTTP_DATE_SIZE], time_t t)
{
	static const char days[][4] = {
		"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"
	};
	static const char months[][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
	};
	struct tm tm;

	/* Out of four digits for the year: the epoch is as good as any. */
	if (gmtime_r(&t, &tm) == NULL || tm.tm_year < -1900 ||
	    tm.tm_year > 9999 - 1900) {
		t = 0;
		(void)gmtime_r(&t, &tm);
	}
	(void)snprintf(dst, HTTP_DATE_SIZE,
	    "%s, %02u %s %04u %02u:%02u:%02u GMT", days[tm.tm_wday % 7],
	    (unsigned)tm.tm_mday % 100, months[tm.tm_mon % 12],
	    (unsigned)(tm.tm_year + 1900) % 10000,
	    (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
	    (unsigned)tm.tm_sec % 100);
	return dst;
}
