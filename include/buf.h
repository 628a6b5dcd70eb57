/* SPDX-License-Identifier: ISC */
/*
 * A growing byte buffer with a maximum.  The one way to build strings whose
 * size is not known: there is no two-pass sizing anywhere.
 *
 * The first failed add makes the buffer "failed": later adds fail too, so a
 * chain of adds needs one check at its end, buf_failed().
 */
#ifndef BUF_H
#define BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char	*data;		/* NULL while empty; NUL behind len else */
	size_t	 len;
	size_t	 cap;
	size_t	 max;		/* len never exceeds it */
	bool	 failed;
};

void	 buf_init(struct buf *, size_t max);
void	 buf_done(struct buf *);		/* free the bytes; reusable */
void	 buf_wipe(struct buf *);		/* buf_done() after wiping */
void	 buf_reset(struct buf *);		/* empty; keeps memory */
/* 0, or -1 with errno EMSGSIZE (maximum reached) or ENOMEM. */
int	 buf_add(struct buf *, const void *, size_t);
int	 buf_addc(struct buf *, char);
int	 buf_addstr(struct buf *, const char *);
int	 buf_addf(struct buf *, const char *, ...)
	    __attribute__((__format__(printf, 2, 3)));
int	 buf_addvf(struct buf *, const char *, va_list)
	    __attribute__((__format__(printf, 2, 0)));
/* Make room for n bytes behind len and return where; NULL as for -1. */
char	*buf_reserve(struct buf *, size_t n);
/* n bytes written at buf_reserve() now count. */
void	 buf_commit(struct buf *, size_t n);
/* Remove n bytes from the front. */
void	 buf_consume(struct buf *, size_t n);
bool	 buf_failed(const struct buf *);
/* The bytes as a string, "" when empty; valid until the next change. */
const char	*buf_str(const struct buf *);
/* Give the bytes away (caller frees) and empty the buffer; NULL on failure. */
char	*buf_steal(struct buf *, size_t *len);

#endif
