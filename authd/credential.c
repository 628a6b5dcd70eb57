/* SPDX-License-Identifier: ISC */
/*
 * Makes and recognises the secrets of authd.  Runs in the broker, which
 * recognises and hashes what clients bring, in the vault, and in authctl.
 * Says what a text looks like, never whether it is good for anything.
 */
#include "credential.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "random.h"
#include "secret.h"
#include "str.h"

#define BASE		62
/* Bytes from here on would make the first characters more likely. */
#define UNEVEN		(256 / BASE * BASE)

static const char	 digits[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static const struct {
	enum credential_kind	 kind;
	const char		*prefix;
	const char		*name;
} kinds[] = {
	{ CREDENTIAL_PERSONAL, "adp_", "personal" },
	{ CREDENTIAL_ROBOT, "adr_", "robot" },
	{ CREDENTIAL_REFRESH, "adf_", "refresh" }
};
#define NKINDS	(sizeof(kinds) / sizeof(kinds[0]))

/* The CRC-32 of Ethernet, as scanners know it. */
static uint32_t
crc32(const char *text, size_t len)
{
	uint32_t	 crc = 0xffffffff;
	size_t		 i;
	int		 bit;

	for (i = 0; i < len; i++) {
		crc ^= (unsigned char)text[i];
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0xedb88320 & -(crc & 1));
	}
	return ~crc;
}

/* Of the first "len" characters; leading zeros are written. */
static void
checksum(const char *text, size_t len, char sum[CREDENTIAL_CHECKSUM])
{
	uint32_t	 crc = crc32(text, len);
	size_t		 i;

	for (i = CREDENTIAL_CHECKSUM; i-- > 0; crc /= BASE)
		sum[i] = digits[crc % BASE];
}

static void
random_digits(char *dst, size_t n)
{
	unsigned char	 bytes[64];
	size_t		 i, done = 0;

	while (done < n) {
		random_bytes(bytes, sizeof(bytes));
		for (i = 0; i < sizeof(bytes) && done < n; i++)
			if (bytes[i] < UNEVEN)
				dst[done++] = digits[bytes[i] % BASE];
	}
	secret_wipe(bytes, sizeof(bytes));
}

void
credential_make(enum credential_kind kind, char text[CREDENTIAL_SIZE])
{
	size_t	 i = 0;

	while (i < NKINDS - 1 && kinds[i].kind != kind)
		i++;
	memcpy(text, kinds[i].prefix, CREDENTIAL_PREFIX);
	random_digits(text + CREDENTIAL_PREFIX, CREDENTIAL_RANDOM);
	checksum(text, CREDENTIAL_PREFIX + CREDENTIAL_RANDOM,
	    text + CREDENTIAL_PREFIX + CREDENTIAL_RANDOM);
	text[CREDENTIAL_LEN] = '\0';
}

enum credential_form
credential_recognise(const char *text, size_t len, enum credential_kind *kind)
{
	char	 sum[CREDENTIAL_CHECKSUM];
	size_t	 i, j, before = CREDENTIAL_LEN - CREDENTIAL_CHECKSUM;

	for (i = 0; i < NKINDS; i++)
		if (len >= CREDENTIAL_PREFIX && memcmp(text, kinds[i].prefix,
		    CREDENTIAL_PREFIX) == 0)
			break;
	if (i == NKINDS)
		return CREDENTIAL_FOREIGN;
	if (len != CREDENTIAL_LEN)
		return CREDENTIAL_BROKEN;
	for (j = CREDENTIAL_PREFIX; j < len; j++)
		if (text[j] == '\0' || strchr(digits, text[j]) == NULL)
			return CREDENTIAL_BROKEN;
	checksum(text, before, sum);
	if (memcmp(sum, text + before, sizeof(sum)) != 0)
		return CREDENTIAL_BROKEN;
	*kind = kinds[i].kind;
	return CREDENTIAL_GOOD;
}

int
credential_hash(const char *text, size_t len,
    unsigned char hash[CREDENTIAL_HASH_SIZE])
{
	unsigned int	 n = 0;

	return EVP_Digest(text, len, hash, &n, EVP_sha256(), NULL) == 1 &&
	    n == CREDENTIAL_HASH_SIZE ? 0 : -1;
}

void
credential_make_id(char id[CREDENTIAL_ID_SIZE])
{
	random_hex(id, CREDENTIAL_ID_LEN / 2);
}

const char *
credential_kind_name(enum credential_kind kind)
{
	size_t	 i;

	for (i = 0; i < NKINDS; i++)
		if (kinds[i].kind == kind)
			return kinds[i].name;
	return "unknown";
}

/* ---- names of robots ---- */

static bool
is_inner(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

const char *
credential_robot_wrong(const char *user)
{
	const char	*name, *p;
	size_t		 len;

	if (!str_starts(user, CREDENTIAL_ROBOT_PREFIX))
		return "the name does not begin with \"robot$\"";
	name = user + sizeof(CREDENTIAL_ROBOT_PREFIX) - 1;
	len = strlen(name);
	if (len == 0 || len > CREDENTIAL_ROBOT_MAX)
		return "a robot's name has 1 to 64 characters";
	for (p = name; *p != '\0'; p++)
		if (!is_inner(*p) && strchr("._-/", *p) == NULL)
			return "a robot's name has only a-z, 0-9 and ._-/";
	if (!is_inner(name[0]) || !is_inner(name[len - 1]))
		return "a robot's name begins and ends with a letter or a "
		    "digit";
	return NULL;
}
