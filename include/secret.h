/* SPDX-License-Identifier: ISC */
/*
 * Bytes that must not stay in memory: keys, passwords.  Wiped when freed.
 */
#ifndef SECRET_H
#define SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct secret;

/* Copy len bytes; a NUL is kept behind them.  NULL when memory is out. */
struct secret	*secret_new(const void *, size_t len);
/*
 * Read a whole file of at most "max" bytes from fd (not closed), from its
 * start and without moving its offset, as siblings may share it.
 * NULL with errno: EFBIG, EIO, ENOMEM, ...
 */
struct secret	*secret_read(int fd, size_t max);
const char	*secret_data(const struct secret *);	/* NUL-terminated */
size_t		 secret_len(const struct secret *);
/* Comparison in constant time for equal lengths. */
bool		 secret_equal(const struct secret *, const void *, size_t);
void		 secret_free(struct secret *);		/* NULL is fine */
/* Wipe memory in a way that the compiler keeps. */
void		 secret_wipe(void *, size_t);

#endif
