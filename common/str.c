/* SPDX-License-Identifier: ISC */
/*
 * Small string functions, for every process.  ASCII only: no function looks
 * at the locale.  Durations and sizes as configuration files write them are
 * at the end.
 */
#include "str.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_MS	UINT64_C(1000000)

char *
str_vis(char *dst, size_t size, const char *src, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	size_t i, n = 0, cut = 0, width;
	unsigned char c;

	if (size == 0)
		return dst;
	for (i = 0; i < len; i++) {
		c = (unsigned char)src[i];
		width = c < 0x20 || c > 0x7e || c == '\\' ? 4 : 1;
		if (n + width > size - 1)
			break;
		if (width == 1)
			dst[n] = (char)c;
		else {
			dst[n] = '\\';
			dst[n + 1] = 'x';
			dst[n + 2] = hex[c >> 4];
			dst[n + 3] = hex[c & 0x0f];
		}
		n += width;
		/* The last end of a whole character that leaves room. */
		if (n + 3 <= size - 1)
			cut = n;
	}
	if (i < len && size > 3) {
		memcpy(dst + cut, "...", 3);
		n = cut + 3;
	}
	dst[n] = '\0';
	return dst;
}

int
str_copy(char *dst, size_t size, const char *src)
{
	size_t len = strlen(src);

	if (len >= size) {
		if (size > 0)
			*dst = '\0';
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(dst, src, len + 1);
	return 0;
}

int
str_parse_u64(const char *s, size_t len, uint64_t max, uint64_t *out)
{
	uint64_t v = 0, digit;
	size_t i;

	if (len == 0) {
		errno = EINVAL;
		return -1;
	}
	for (i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9') {
			errno = EINVAL;
			return -1;
		}
	}
	for (i = 0; i < len; i++) {
		digit = (uint64_t)(s[i] - '0');
		if (v > (UINT64_MAX - digit) / 10) {
			errno = ERANGE;
			return -1;
		}
		v = v * 10 + digit;
	}
	if (v > max) {
		errno = ERANGE;
		return -1;
	}
	*out = v;
	return 0;
}

bool
str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool
str_ends(const char *s, const char *suffix)
{
	size_t len = strlen(s), n = strlen(suffix);

	return n <= len && memcmp(s + len - n, suffix, n) == 0;
}

static char
str_lower_char(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
str_equal_nocase(const char *a, const char *b)
{
	for (; *a != '\0' && *b != '\0'; a++, b++) {
		if (str_lower_char(*a) != str_lower_char(*b))
			return false;
	}
	return *a == *b;
}

void
str_lower(char *s)
{
	for (; *s != '\0'; s++)
		*s = str_lower_char(*s);
}

char *
str_bytes(char *dst, size_t size, uint64_t n)
{
	static const char *const units[] = {
		"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"
	};
	uint64_t tenths;
	size_t unit = 0, shift = 0;

	/* The next unit as soon as rounding would show 1024 of this one. */
	while (unit + 1 < sizeof(units) / sizeof(units[0]) &&
	    (n >> shift) >= 1023 + (unit == 0 ? 1 : 0)) {
		unit++;
		shift += 10;
	}
	tenths = unit == 0 ? n * 10 :
	    ((n >> (shift - 10)) * 10 + 512) / 1024;
	if (tenths % 10 == 0)
		snprintf(dst, size, "%" PRIu64 " %s", tenths / 10,
		    units[unit]);
	else
		snprintf(dst, size, "%" PRIu64 ".%u %s", tenths / 10,
		    (unsigned)(tenths % 10), units[unit]);
	return dst;
}

/* One of Go's units at *p, moving behind it; 0 if there is none. */
static uint64_t
duration_unit(const char **p)
{
	static const struct {
		const char	*name;
		uint64_t	 ns;
	} units[] = {
		{ "ns", 1 },
		{ "us", 1000 },
		{ "\302\265s", 1000 },		/* U+00B5 */
		{ "\316\274s", 1000 },		/* U+03BC */
		{ "ms", NS_PER_MS },
		{ "s", NS_PER_MS * 1000 },
		{ "m", NS_PER_MS * 1000 * 60 },
		{ "h", NS_PER_MS * 1000 * 3600 }
	};
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (str_starts(*p, units[i].name)) {
			*p += strlen(units[i].name);
			return units[i].ns;
		}
	}
	return 0;
}

/* The digits behind a decimal point, as a fraction of one. */
static double
duration_fraction(const char **p, size_t *ndigits)
{
	double value = 0, scale = 1;

	for (; **p >= '0' && **p <= '9'; (*p)++, (*ndigits)++) {
		scale /= 10;
		value += (**p - '0') * scale;
	}
	return value;
}

/* One number and unit, added to *total (nanoseconds). */
static int
duration_part(const char **p, uint64_t *total)
{
	size_t digits = strspn(*p, "0123456789");
	uint64_t whole = 0, unit, part;
	double fraction = 0;

	if (digits > 0 &&
	    str_parse_u64(*p, digits, INT64_MAX, &whole) == -1)
		return -1;
	*p += digits;
	if (**p == '.') {
		(*p)++;
		fraction = duration_fraction(p, &digits);
	}
	unit = duration_unit(p);
	if (digits == 0 || unit == 0) {
		errno = EINVAL;
		return -1;
	}
	if (whole > INT64_MAX / unit) {
		errno = ERANGE;
		return -1;
	}
	part = whole * unit + (uint64_t)(fraction * (double)unit);
	if (part > INT64_MAX - *total) {
		errno = ERANGE;
		return -1;
	}
	*total += part;
	return 0;
}

int
str_parse_duration(const char *s, uint64_t *ms)
{
	uint64_t ns = 0;

	if (*s == '+')
		s++;
	if (*s != '\0' && s[strspn(s, "0123456789")] == '\0') {
		if (str_parse_u64(s, strlen(s), INT64_MAX, &ns) == -1)
			return -1;
	} else {
		do {
			if (duration_part(&s, &ns) == -1)
				return -1;
		} while (*s != '\0');
	}
	/* Rounded up: a short time must not become "none". */
	*ms = ns / NS_PER_MS + (ns % NS_PER_MS != 0);
	return 0;
}

char *
str_duration(char *dst, size_t size, uint64_t ms)
{
	uint64_t s = ms / 1000, h = s / 3600, m = s / 60 % 60;
	unsigned rest = (unsigned)(ms % 1000);
	char head[48] = "", tail[8] = "";
	int width = 3;

	if (ms > 0 && ms < 1000) {
		snprintf(dst, size, "%ums", rest);
		return dst;
	}
	if (h > 0)
		snprintf(head, sizeof(head), "%" PRIu64 "h%" PRIu64 "m", h, m);
	else if (m > 0)
		snprintf(head, sizeof(head), "%" PRIu64 "m", m);
	if (rest > 0) {
		for (; rest % 10 == 0; rest /= 10)
			width--;
		snprintf(tail, sizeof(tail), ".%0*u", width, rest);
	}
	snprintf(dst, size, "%s%" PRIu64 "%ss", head, s % 60, tail);
	return dst;
}

int
str_parse_size(const char *s, uint64_t *out)
{
	static const char letters[] = "kmgt";
	size_t digits = strspn(s, "0123456789"), i, shift = 0;
	const char *unit = s + digits;
	uint64_t v;

	if (str_parse_u64(s, digits, UINT64_MAX, &v) == -1)
		return -1;
	if (*unit == ' ' && unit[1] != '\0')
		unit++;
	if (*unit != '\0') {
		for (i = 0; letters[i] != '\0'; i++) {
			if (str_lower_char(*unit) == letters[i])
				shift = 10 * (i + 1);
		}
		if (shift == 0 ||
		    (unit[1] != '\0' && !str_equal_nocase(unit + 1, "ib"))) {
			errno = EINVAL;
			return -1;
		}
	}
	if (v > UINT64_MAX >> shift) {
		errno = ERANGE;
		return -1;
	}
	*out = v << shift;
	return 0;
}
