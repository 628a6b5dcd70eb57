/* SPDX-License-Identifier: ISC */
/*
 * Random bytes from the operating system; never fails (exits if it would).
 */
#ifndef RANDOM_H
#define RANDOM_H

#include <stddef.h>

void	 random_bytes(void *, size_t);
/* 2 * n hex digits and a NUL. */
void	 random_hex(char *dst, size_t n);
/* A version 4 UUID, 36 characters and a NUL. */
#define UUID_SIZE	37
void	 random_uuid(char dst[UUID_SIZE]);

#endif
