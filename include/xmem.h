/* SPDX-License-Identifier: ISC */
/*
 * Allocation that exits when memory is out.  For parents, configuration and
 * start-up only: request paths use calloc() and answer 503.
 */
#ifndef XMEM_H
#define XMEM_H

#include <stddef.h>

void	*xmalloc(size_t);
void	*xcalloc(size_t n, size_t size);
/* Grow or shrink an array; overflow of n * size exits too. */
void	*xreallocarray(void *, size_t n, size_t size);
char	*xstrdup(const char *);
char	*xstrndup(const char *, size_t);
char	*xasprintf(const char *, ...) __attribute__((__format__(printf, 1, 2)));

#endif
