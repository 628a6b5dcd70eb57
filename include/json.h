/* SPDX-License-Identifier: ISC */
/*
 * Strict loading of JSON by jansson: duplicate keys, trailing bytes, a NUL
 * in a string, invalid UTF-8 and nesting beyond a limit are refused.
 */
#ifndef JSON_H
#define JSON_H

#include <jansson.h>
#include <stddef.h>

#define JSON_MAX_DEPTH	32

/*
 * The document (caller does json_decref()), or NULL with a reason of one
 * line, without client text, in "error" (size >= 80).
 */
json_t		*json_load_strict(const char *, size_t len, char *error,
		    size_t errsize);
/* The string at a key of an object, or NULL if absent or not a string. */
const char	*json_string_at(const json_t *object, const char *key);

#endif
