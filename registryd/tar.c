/* SPDX-License-Identifier: ISC */
/*
 * Tar headers, to and from structs.  Used by registryctl; reads what anybody
 * may have made, and touches no file.
 */
#include "tar.h"

#include <stdio.h>
#include <string.h>

#include "str.h"

#define NAME_AT		0
#define NAME_LEN	100u
#define MODE_AT		100
#define UID_AT		108
#define GID_AT		116
#define SIZE_AT		124
#define SIZE_LEN	12u
#define MTIME_AT	136
#define SUM_AT		148
#define SUM_LEN		8u
#define TYPE_AT		156
#define MAGIC_AT	257
#define PREFIX_AT	345
#define PREFIX_LEN	155u
#define OCTAL_MAX	077777777777ull	/* in 11 digits */

/* Octal digits with spaces around, or GNU's binary.  -1: neither. */
static int
get_number(const unsigned char *p, size_t len, uint64_t *out)
{
	uint64_t n = 0;
	size_t i = 0;

	if ((p[0] & 0x80) != 0) {
		/* 0xff is negative; more than 63 bits are no size. */
		if (p[0] != 0x80)
			return -1;
		for (i = 1; i < len; i++) {
			if (n >> 55 != 0)
				return -1;
			n = n << 8 | p[i];
		}
		*out = n;
		return 0;
	}
	while (i < len && p[i] == ' ')
		i++;
	for (; i < len && p[i] >= '0' && p[i] <= '7'; i++) {
		if (n >> 60 != 0)
			return -1;
		n = n << 3 | (uint64_t)(p[i] - '0');
	}
	for (; i < len; i++)
		if (p[i] != ' ' && p[i] != '\0')
			return -1;
	*out = n;
	return 0;
}

static unsigned
checksum(const unsigned char block[TAR_BLOCK])
{
	unsigned sum = 0;
	size_t i;

	for (i = 0; i < TAR_BLOCK; i++)
		sum += i >= SUM_AT && i < SUM_AT + SUM_LEN ? ' ' : block[i];
	return sum;
}

static bool
is_empty(const unsigned char block[TAR_BLOCK])
{
	size_t i;

	for (i = 0; i < TAR_BLOCK; i++)
		if (block[i] != 0)
			return false;
	return true;
}

static enum tar_type
type_of(unsigned char flag)
{
	switch (flag) {
	case '\0':
	case '0':
	case '7':
		return TAR_FILE;
	case '5':
		return TAR_DIRECTORY;
	case 'x':
		return TAR_PAX;
	case 'L':
		return TAR_LONG_NAME;
	default:
		return TAR_OTHER;
	}
}

/* Without "./" and without slashes at the end. */
static void
set_name(char dst[TAR_NAME_SIZE], const char *name)
{
	size_t len;

	while (name[0] == '.' && name[1] == '/') {
		name += 2;
		name += strspn(name, "/");
	}
	len = strlen(name);
	while (len > 0 && name[len - 1] == '/')
		len--;
	if (len >= TAR_NAME_SIZE)
		len = 0;
	memmove(dst, name, len);
	dst[len] = '\0';
}

static void
header_name(char dst[TAR_NAME_SIZE], const unsigned char *block)
{
	char full[NAME_LEN + PREFIX_LEN + 2];
	const char *prefix = (const char *)block + PREFIX_AT;

	if (memcmp(block + MAGIC_AT, "ustar\0", 6) == 0 && prefix[0] != '\0')
		snprintf(full, sizeof(full), "%.*s/%.*s", (int)PREFIX_LEN,
		    prefix, (int)NAME_LEN, (const char *)block);
	else
		snprintf(full, sizeof(full), "%.*s", (int)NAME_LEN,
		    (const char *)block);
	set_name(dst, full);
}

int
tar_parse(struct tar_member *m, const unsigned char block[TAR_BLOCK],
    struct tar_extra *extra)
{
	uint64_t sum;

	memset(m, 0, sizeof(*m));
	if (is_empty(block)) {
		m->type = TAR_END;
		return 0;
	}
	if (get_number(block + SUM_AT, SUM_LEN, &sum) == -1 ||
	    sum != checksum(block) ||
	    get_number(block + SIZE_AT, SIZE_LEN, &m->size) == -1)
		return -1;
	m->type = type_of(block[TYPE_AT]);
	header_name(m->name, block);
	if (m->type == TAR_PAX || m->type == TAR_LONG_NAME)
		return 0;
	if (extra->name[0] != '\0')
		set_name(m->name, extra->name);
	if (extra->has_size)
		m->size = extra->size;
	memset(extra, 0, sizeof(*extra));
	/* Links and the like have no data, whatever their size says. */
	if (m->type == TAR_DIRECTORY || block[TYPE_AT] == '1' ||
	    block[TYPE_AT] == '2')
		m->size = 0;
	return 0;
}

/* "path=..." or "size=..." of a pax record; others are nothing to us. */
static int
take_record(struct tar_extra *extra, const char *text, size_t len)
{
	if (memchr(text, '=', len) == NULL)
		return -1;
	if (len > 5 && memcmp(text, "path=", 5) == 0) {
		if (len - 5 >= sizeof(extra->name) ||
		    memchr(text, '\0', len) != NULL)
			return -1;
		memcpy(extra->name, text + 5, len - 5);
		extra->name[len - 5] = '\0';
	} else if (len > 5 && memcmp(text, "size=", 5) == 0) {
		if (str_parse_u64(text + 5, len - 5, INT64_MAX,
		    &extra->size) == -1)
			return -1;
		extra->has_size = true;
	}
	return 0;
}

/* Records of "LENGTH KEY=VALUE\n", where the length counts all of it. */
static int
take_pax(struct tar_extra *extra, const char *data, size_t len)
{
	const char *space;
	uint64_t n;
	size_t digits;

	while (len > 0) {
		space = memchr(data, ' ', len);
		if (space == NULL)
			return -1;
		digits = (size_t)(space - data);
		if (str_parse_u64(data, digits, len, &n) == -1 ||
		    n < digits + 2 || data[n - 1] != '\n' ||
		    take_record(extra, space + 1, (size_t)n - digits - 2) ==
		    -1)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int
tar_take_extra(struct tar_extra *extra, enum tar_type type, const char *data,
    size_t len)
{
	size_t n;

	if (type == TAR_PAX)
		return take_pax(extra, data, len);
	n = strnlen(data, len);
	if (n == 0 || n >= sizeof(extra->name))
		return -1;
	memcpy(extra->name, data, n);
	extra->name[n] = '\0';
	return 0;
}

size_t
tar_padding(uint64_t size)
{
	return (size_t)(-size & (TAR_BLOCK - 1));
}

int
tar_format(unsigned char block[TAR_BLOCK], const char *name, uint64_t size)
{
	size_t len = strlen(name), i;
	bool dir = len > 0 && name[len - 1] == '/';
	char *text = (char *)block;

	if (len == 0 || len > NAME_LEN)
		return -1;
	memset(block, 0, TAR_BLOCK);
	memcpy(block + NAME_AT, name, len);
	snprintf(text + MODE_AT, 8, "%07o", dir ? 0755u : 0644u);
	snprintf(text + UID_AT, 8, "%07o", 0u);
	snprintf(text + GID_AT, 8, "%07o", 0u);
	if (size <= OCTAL_MAX)
		snprintf(text + SIZE_AT, SIZE_LEN, "%011llo",
		    (unsigned long long)size);
	else {
		block[SIZE_AT] = 0x80;
		for (i = SIZE_LEN - 1; i > 0; i--) {
			block[SIZE_AT + i] = (unsigned char)size;
			size >>= 8;
		}
	}
	snprintf(text + MTIME_AT, 12, "%011o", 0u);
	block[TYPE_AT] = dir ? '5' : '0';
	memcpy(block + MAGIC_AT, "ustar\00000", 8);
	snprintf(text + SUM_AT, SUM_LEN, "%06o", checksum(block));
	block[SUM_AT + SUM_LEN - 1] = ' ';
	return 0;
}
