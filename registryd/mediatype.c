/* SPDX-License-Identifier: ISC */
/*
 * Media types of manifests: which kind they are, and what an Accept header
 * says of them.  Pure functions, used by workers.
 */
#include "mediatype.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "json.h"

#define MEDIATYPE_MAX	255
#define SCHEMA1_PLAIN	"application/vnd.docker.distribution.manifest.v1+json"
#define SCHEMA1_SIGNED \
	"application/vnd.docker.distribution.manifest.v1+prettyjws"

static const struct {
	const char	*type;
	enum mediatype_kind kind;
} known[] = {
	{ MEDIATYPE_OCI_MANIFEST,	MEDIATYPE_IMAGE },
	{ MEDIATYPE_DOCKER_MANIFEST,	MEDIATYPE_IMAGE },
	{ MEDIATYPE_OCI_INDEX,		MEDIATYPE_INDEX },
	{ MEDIATYPE_DOCKER_LIST,	MEDIATYPE_INDEX },
	{ MEDIATYPE_OCI_ARTIFACT,	MEDIATYPE_ARTIFACT },
	{ SCHEMA1_PLAIN,		MEDIATYPE_SCHEMA1 },
	{ SCHEMA1_SIGNED,		MEDIATYPE_SCHEMA1 },
};

enum mediatype_kind
mediatype_kind(const char *type)
{
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].type, type) == 0)
			return known[i].kind;
	return MEDIATYPE_OTHER;
}

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z');
}

/* restricted-name of RFC 6838 section 4.2, but for its length. */
static size_t
name_len(const char *s)
{
	size_t n = 0;

	if (!is_alnum(s[0]))
		return 0;
	while (is_alnum(s[n]) || (s[n] != '\0' &&
	    strchr("!#$&-^_.+", s[n]) != NULL))
		n++;
	return n;
}

bool
mediatype_ok(const char *type)
{
	size_t n, m;

	if ((n = name_len(type)) == 0 || n > 127 || type[n] != '/')
		return false;
	m = name_len(type + n + 1);
	return m > 0 && m <= 127 && type[n + 1 + m] == '\0' &&
	    n + 1 + m <= MEDIATYPE_MAX;
}

bool
mediatype_is_schema1(const json_t *doc)
{
	return json_integer_value(json_object_get(doc, "schemaVersion")) == 1 ||
	    (json_object_get(doc, "fsLayers") != NULL &&
	    json_object_get(doc, "signatures") != NULL);
}

const char *
mediatype_told(const json_t *doc)
{
	const char *type;

	if (!json_is_object(doc))
		return "application/octet-stream";
	type = json_string_at(doc, "mediaType");
	if (type != NULL && mediatype_ok(type))
		return type;
	if (mediatype_is_schema1(doc))
		return json_object_get(doc, "signatures") != NULL ?
		    SCHEMA1_SIGNED : SCHEMA1_PLAIN;
	if (json_is_array(json_object_get(doc, "manifests")))
		return MEDIATYPE_OCI_INDEX;
	return MEDIATYPE_OCI_MANIFEST;
}

/* How exactly a range of len bytes names the type: 0 not at all, 3 fully. */
static int
range_match(const char *range, size_t len, const char *type)
{
	const char *slash = strchr(type, '/');
	size_t main_len;

	if (len == 3 && strncmp(range, "*/*", 3) == 0)
		return 1;
	if (len == 1 && range[0] == '*')	/* sent by old Java clients */
		return 1;
	if (slash == NULL)
		return 0;
	main_len = (size_t)(slash - type) + 1;
	if (len == main_len + 1 && range[len - 1] == '*' &&
	    strncasecmp(range, type, main_len) == 0)
		return 2;
	if (len == strlen(type) && strncasecmp(range, type, len) == 0)
		return 3;
	return 0;
}

/* Is the weight among these parameters zero ("q=0", "q=0.000")? */
static bool
weight_is_zero(const char *params, size_t len)
{
	const char *end = params + len, *p = params;

	while (p < end) {
		while (p < end && (*p == ';' || *p == ' ' || *p == '\t'))
			p++;
		if (end - p >= 3 && (*p == 'q' || *p == 'Q') && p[1] == '=') {
			p += 2;
			if (*p != '0')
				return false;
			for (p++; p < end && (*p == '0' || *p == '.'); p++)
				;
			return p == end || *p == ';' || *p == ' ' ||
			    *p == '\t';
		}
		while (p < end && *p != ';')
			p++;
	}
	return false;
}

/* Where this element of a list ends; commas in quotes do not count. */
static const char *
element_end(const char *p)
{
	bool quoted = false;

	for (; *p != '\0'; p++) {
		if (quoted && *p == '\\' && p[1] != '\0')
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (*p == ',' && !quoted)
			break;
	}
	return p;
}

bool
mediatype_accepted(const char *accept, const char *type)
{
	const char *p, *end;
	bool any = false, accepted = false;
	int best = 0, match;
	size_t len;

	if (accept == NULL)
		return true;
	for (p = accept; *p != '\0'; p = *end == ',' ? end + 1 : end) {
		end = element_end(p);
		while (p < end && (*p == ' ' || *p == '\t'))
			p++;
		for (len = 0; p + len < end && p[len] != ';' &&
		    p[len] != ' ' && p[len] != '\t'; len++)
			;
		if (len == 0)
			continue;
		any = true;
		match = range_match(p, len, type);
		if (match > best || (match == best && match > 0 && !accepted)) {
			best = match;
			accepted = !weight_is_zero(p + len,
			    (size_t)(end - p) - len);
		}
	}
	return !any || accepted;
}
