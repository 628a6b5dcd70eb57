/* SPDX-License-Identifier: ISC */
/*
 * Checks of the JSON objects that manifests are made of.  Runs in the worker;
 * touches no storage.
 */
#include "descriptor.h"

#include <stddef.h>
#include <string.h>

#include "json.h"
#include "str.h"

static const char *const descriptor_keys[] = {
	"mediaType", "digest", "size", "urls", "annotations", "data",
	"platform", "artifactType", NULL
};

/*
 * One character as Go's decoder compares the names of members: without case,
 * and U+017F is an "s", U+212A a "k".
 */
static char
fold(const char **s)
{
	const unsigned char *u = (const unsigned char *)*s;

	if (u[0] == 0xc5 && u[1] == 0xbf) {
		*s += 2;
		return 's';
	}
	if (u[0] == 0xe2 && u[1] == 0x84 && u[2] == 0xaa) {
		*s += 3;
		return 'k';
	}
	(*s)++;
	return (char)(u[0] >= 'A' && u[0] <= 'Z' ? u[0] + 32 : u[0]);
}

static bool
equal_folded(const char *a, const char *b)
{
	while (*a != '\0' && *b != '\0')
		if (fold(&a) != fold(&b))
			return false;
	return *a == '\0' && *b == '\0';
}

bool
descriptor_keys_ok(json_t *object, const char *const *known)
{
	const char *key;
	json_t *value;
	size_t i;

	json_object_foreach(object, key, value) {
		for (i = 0; known[i] != NULL; i++)
			if (strcmp(key, known[i]) != 0 &&
			    equal_folded(key, known[i]))
				return false;
	}
	return true;
}

bool
descriptor_strings_only(json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;

	if (json_is_array(value)) {
		json_array_foreach(value, i, item)
			if (!json_is_string(item))
				return false;
		return true;
	}
	json_object_foreach(value, key, item)
		if (!json_is_string(item))
			return false;
	return true;
}

static bool
is_given(const json_t *value)
{
	return value != NULL && !json_is_null(value);
}

const char *
descriptor_check(json_t *desc, struct digest *digest)
{
	const char *text;
	json_t *value;

	if (!json_is_object(desc))
		return "a descriptor must be an object";
	if (!descriptor_keys_ok(desc, descriptor_keys))
		return "member with ambiguous name";
	if ((text = json_string_at(desc, "digest")) == NULL ||
	    digest_parse(digest, text) == -1)
		return "no digest of a known algorithm";
	value = json_object_get(desc, "size");
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return "size must be an integer >= 0";
	value = json_object_get(desc, "mediaType");
	if (is_given(value) && !json_is_string(value))
		return "mediaType must be a string";
	value = json_object_get(desc, "urls");
	if (is_given(value) && (!json_is_array(value) ||
	    !descriptor_strings_only(value)))
		return "urls must be a list of strings";
	value = json_object_get(desc, "annotations");
	if (is_given(value) && (!json_is_object(value) ||
	    !descriptor_strings_only(value)))
		return "annotations must be strings";
	return NULL;
}

bool
descriptor_is_foreign(json_t *desc)
{
	static const char *const prefixes[] = {
		"application/vnd.docker.image.rootfs.foreign.diff.tar",
		"application/vnd.oci.image.layer.nondistributable.v1.tar",
	};
	const char *type = json_string_at(desc, "mediaType");
	size_t i;

	if (type == NULL || json_array_size(json_object_get(desc,
	    "urls")) == 0)
		return false;
	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (str_starts(type, prefixes[i]))
			return true;
	return false;
}
