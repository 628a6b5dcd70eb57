/* SPDX-License-Identifier: ISC */
/*
 * IMF-fixdate (RFC 9110 section 5.6.7).
 */
#ifndef HTTP_DATE_H
#define HTTP_DATE_H

#include <time.h>

#define HTTP_DATE_SIZE	30
char	*http_date_format(char dst[HTTP_DATE_SIZE], time_t);

#endif
