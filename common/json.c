/* SPDX-License-Identifier: ISC */
/*
 * Strict loading of JSON, for the processes that read what others wrote:
 * manifests, tokens, key sets.  jansson does the parsing; this file bounds
 * the depth before it and keeps the text of the document out of reasons.
 */
#include "json.h"

#include <stdbool.h>
#include <stdio.h>

/*
 * jansson recurses by nesting and allows 2048 levels.  This scan sees the
 * brackets outside strings; of a document that is not JSON it need not get
 * the depth right, jansson will refuse that one.
 */
static bool
json_too_deep(const char *text, size_t len)
{
	size_t i, depth = 0;
	bool quoted = false;

	for (i = 0; i < len; i++) {
		if (quoted) {
			if (text[i] == '\\')
				i++;
			else if (text[i] == '"')
				quoted = false;
			continue;
		}
		switch (text[i]) {
		case '"':
			quoted = true;
			break;
		case '[':
		case '{':
			if (++depth > JSON_MAX_DEPTH)
				return true;
			break;
		case ']':
		case '}':
			if (depth > 0)
				depth--;
			break;
		default:
			break;
		}
	}
	return false;
}

static const char *
json_reason(enum json_error_code code)
{
	switch (code) {
	case json_error_out_of_memory:
		return "out of memory";
	case json_error_premature_end_of_input:
		return "the document ends too early";
	case json_error_end_of_input_expected:
		return "there is something behind the document";
	case json_error_invalid_utf8:
		return "invalid UTF-8";
	case json_error_duplicate_key:
		return "duplicate key";
	case json_error_numeric_overflow:
		return "number out of range";
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return "NUL character in a string";
	case json_error_stack_overflow:
		return "nested too deeply";
	default:
		return "invalid syntax";
	}
}

json_t *
json_load_strict(const char *text, size_t len, char *error, size_t errsize)
{
	json_error_t where;
	json_t *json;

	if (json_too_deep(text, len)) {
		snprintf(error, errsize, "nested too deeply");
		return NULL;
	}
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
	if (json != NULL)
		return json;
	if (where.line > 0)
		snprintf(error, errsize, "%s, line %d column %d",
		    json_reason(json_error_code(&where)), where.line,
		    where.column);
	else
		snprintf(error, errsize, "%s",
		    json_reason(json_error_code(&where)));
	return NULL;
}

const char *
json_string_at(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}
