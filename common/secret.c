/* SPDX-License-Identifier: ISC */
/*
 * Bytes that must not stay in memory.  Runs in the processes that hold keys
 * or passwords; never logs and never copies what it holds elsewhere.
 */
#include "secret.h"

#include <openssl/crypto.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct secret {
	size_t	 len;
	char	 data[];
};

static struct secret *
secret_alloc(size_t len)
{
	struct secret *secret;

	if (len > SIZE_MAX - sizeof(*secret) - 1) {
		errno = ENOMEM;
		return NULL;
	}
	secret = malloc(sizeof(*secret) + len + 1);
	if (secret == NULL)
		return NULL;
	secret->len = len;
	secret->data[len] = '\0';
	return secret;
}

struct secret *
secret_new(const void *data, size_t len)
{
	struct secret *secret = secret_alloc(len);

	if (secret != NULL && len > 0)
		memcpy(secret->data, data, len);
	return secret;
}

struct secret *
secret_read(int fd, size_t max)
{
	struct secret *secret, *exact = NULL;
	size_t have = 0;
	ssize_t n;
	int error = 0;

	if (max == SIZE_MAX)
		max--;
	/* One byte more than allowed, to tell "full" from "too big". */
	secret = secret_alloc(max + 1);
	if (secret == NULL)
		return NULL;
	while (have <= max) {
		n = pread(fd, secret->data + have, max + 1 - have,
		    (off_t)have);
		if (n == -1 && errno == ESPIPE)
			n = read(fd, secret->data + have, max + 1 - have);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			error = errno;
		if (n <= 0)
			break;
		have += (size_t)n;
	}
	if (error == 0 && have > max)
		error = EFBIG;
	if (error == 0) {
		exact = secret_new(secret->data, have);
		if (exact == NULL)
			error = ENOMEM;
	}
	secret_free(secret);
	if (exact == NULL)
		errno = error;
	return exact;
}

const char *
secret_data(const struct secret *secret)
{
	return secret->data;
}

size_t
secret_len(const struct secret *secret)
{
	return secret->len;
}

bool
secret_equal(const struct secret *secret, const void *data, size_t len)
{
	return secret->len == len &&
	    CRYPTO_memcmp(secret->data, data, len) == 0;
}

void
secret_free(struct secret *secret)
{
	if (secret == NULL)
		return;
	secret_wipe(secret->data, secret->len);
	free(secret);
}

void
secret_wipe(void *data, size_t len)
{
	if (data != NULL && len > 0)
		OPENSSL_cleanse(data, len);
}
