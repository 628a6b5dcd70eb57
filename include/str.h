/* SPDX-License-Identifier: ISC */
/*
 * Small string functions.
 */
#ifndef STR_H
#define STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Text safe for a terminal and a log line: bytes outside 0x20..0x7e, and
 * backslash, become \xHH; cut at "size - 1" with "..." at the end.
 * Returns dst.
 */
char	*str_vis(char *dst, size_t size, const char *src, size_t len);
/* Copy; -1 with errno ENAMETOOLONG if it does not fit (dst is then ""). */
int	 str_copy(char *dst, size_t size, const char *src);
/*
 * Decimal digits only, no sign or space, at least one digit, up to max.
 * 0, or -1 with errno EINVAL or ERANGE.
 */
int	 str_parse_u64(const char *, size_t len, uint64_t max, uint64_t *);
bool	 str_starts(const char *, const char *prefix);
bool	 str_ends(const char *, const char *suffix);
/* ASCII case only, whatever the locale. */
bool	 str_equal_nocase(const char *, const char *);
void	 str_lower(char *);
/* "1.5 GiB" into dst (size 16 suffices).  Returns dst. */
char	*str_bytes(char *dst, size_t size, uint64_t n);
/*
 * A duration as Go writes it ("1h30m", "250ms", "0") or a plain integer of
 * nanoseconds, into milliseconds.  0, or -1 with errno EINVAL or ERANGE.
 */
int	 str_parse_duration(const char *, uint64_t *ms);
/* The reverse: "1h30m0s", "250ms", "0s".  Returns dst (size 32 suffices). */
char	*str_duration(char *dst, size_t size, uint64_t ms);
/*
 * Size in bytes: digits with optional KiB, MiB, GiB, TiB (or k, m, g, t),
 * in any case and after a space or not.
 */
int	 str_parse_size(const char *, uint64_t *);

#endif
