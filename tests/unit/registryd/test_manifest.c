/* SPDX-License-Identifier: ISC */
/*
 * What is taken as a manifest, what is refused, and what is read out of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "manifest.h"

#define A	"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B	"sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" \
		"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C	"sha512:cccccccccccccccccccccccccccccccc" \
		"cccccccccccccccccccccccccccccccc" \
		"cccccccccccccccccccccccccccccccc" \
		"cccccccccccccccccccccccccccccccc"
#define DESC(type, digest)	\
	"{\"mediaType\":\"" type "\",\"size\":7,\"digest\":\"" digest "\"}"
#define CONFIG	DESC("application/vnd.oci.image.config.v1+json", A)
#define LAYER	DESC("application/vnd.oci.image.layer.v1.tar", B)
#define IMAGE(more) \
	"{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[" LAYER "]" \
	more "}"
#define INDEX(entries, more) \
	"{\"schemaVersion\":2,\"manifests\":[" entries "]" more "}"
#define FOREIGN	"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"

static const struct {
	const char	*type, *body;
	size_t		 nblobs, nchildren, nothers;
	bool		 told;
} good[] = {
	{ MEDIATYPE_OCI_MANIFEST, IMAGE(""), 2, 0, 0, true },
	{ "", IMAGE(""), 2, 0, 0, true },
	{ MEDIATYPE_OCI_MANIFEST, IMAGE(",\"mediaType\":\""
	    MEDIATYPE_OCI_MANIFEST "\""), 2, 0, 0, true },
	/* Without its own mediaType the bytes do not tell this one. */
	{ MEDIATYPE_DOCKER_MANIFEST, IMAGE(""), 2, 0, 0, false },
	{ MEDIATYPE_DOCKER_MANIFEST, IMAGE(",\"mediaType\":\""
	    MEDIATYPE_DOCKER_MANIFEST "\""), 2, 0, 0, true },
	{ "", IMAGE(",\"mediaType\":\"" MEDIATYPE_DOCKER_MANIFEST "\""),
	    2, 0, 0, true },
	{ MEDIATYPE_OCI_MANIFEST, "{\"schemaVersion\":2,\"config\":" CONFIG
	    ",\"layers\":null}", 1, 0, 0, true },
	{ MEDIATYPE_OCI_MANIFEST, IMAGE(",\"manifests\":null"), 2, 0, 0,
	    true },
	{ MEDIATYPE_OCI_MANIFEST, IMAGE(",\"subject\":"
	    DESC(MEDIATYPE_OCI_MANIFEST, C)), 2, 0, 0, true },
	{ MEDIATYPE_OCI_MANIFEST, IMAGE(",\"x-own\":[1,{\"a\":2}]"), 2, 0, 0,
	    true },
	{ MEDIATYPE_OCI_MANIFEST, "{\"schemaVersion\":2,\"config\":" CONFIG
	    ",\"layers\":[{\"mediaType\":\"" FOREIGN "\",\"size\":1,"
	    "\"digest\":\"" B "\",\"urls\":[\"https://e.example/\"]}]}",
	    1, 0, 0, true },
	/* Not foreign without a place to get it from. */
	{ MEDIATYPE_OCI_MANIFEST, "{\"schemaVersion\":2,\"config\":" CONFIG
	    ",\"layers\":[" DESC(FOREIGN, B) "]}", 2, 0, 0, true },
	{ MEDIATYPE_OCI_INDEX, INDEX(DESC(MEDIATYPE_OCI_MANIFEST, A) ","
	    DESC(MEDIATYPE_DOCKER_LIST, C), ""), 0, 2, 0, true },
	{ "", INDEX("", ""), 0, 0, 0, true },
	{ MEDIATYPE_DOCKER_LIST, INDEX("", ""), 0, 0, 0, false },
	{ MEDIATYPE_OCI_INDEX, INDEX(LAYER, ""), 0, 0, 1, true },
	{ MEDIATYPE_OCI_INDEX, INDEX("{\"digest\":\"" A "\",\"size\":0}",
	    ""), 0, 0, 1, true },
	{ MEDIATYPE_OCI_ARTIFACT, "{\"mediaType\":\"" MEDIATYPE_OCI_ARTIFACT
	    "\",\"blobs\":[" LAYER "]}", 1, 0, 0, true },
	{ MEDIATYPE_OCI_ARTIFACT, "{}", 0, 0, 0, false },
	/* Any other type is stored as it is. */
	{ "application/vnd.own+json", "{\"mediaType\":"
	    "\"application/vnd.own+json\",\"layers\":7}", 0, 0, 0, true },
	{ "application/vnd.own+json", "{\"layers\":7}", 0, 0, 0, false },
	{ "application/vnd.own", "not JSON \xff", 0, 0, 0, false },
	{ "application/vnd.own", "[1]", 0, 0, 0, false },
};

static const struct {
	const char	*type, *body, *reason;
} bad[] = {
	{ MEDIATYPE_OCI_MANIFEST, "", "JSON" },
	{ "", "", "JSON" },
	{ "", "hello", "JSON" },
	{ "", "[]", "object" },
	{ MEDIATYPE_OCI_MANIFEST, "[]", "object" },
	{ MEDIATYPE_OCI_MANIFEST, "{}", "schemaVersion" },
	{ MEDIATYPE_OCI_MANIFEST, IMAGE("") "x", "JSON" },
	{ MEDIATYPE_OCI_MANIFEST, "\xef\xbb\xbf" IMAGE(""), "JSON" },
	{ MEDIATYPE_OCI_MANIFEST, IMAGE(",\"layers\":[]"), "duplicate" },
	{ MEDIATYPE_OCI_MANIFEST, IMAGE(",\"Layers\":[]"), "ambiguous" },
	{ MEDIATYPE_OCI_MANIFEST, IMAGE(",\"layer\xc5\xbf\":[]"),
	    "ambiguous" },
	{ MEDIATYPE_OCI_MANIFEST, IMAGE(",\"mediatype\":\"x\""),
	    "ambiguous" },
	{ MEDIATYPE_OCI_MANIFEST, IMAGE(",\"manifests\":[]"), "manifests" },
	{ MEDIATYPE_OCI_INDEX, IMAGE(""), "config" },
	{ MEDIATYPE_OCI_INDEX, INDEX("", ",\"layers\":[]"), "layers" },
	{ MEDIATYPE_OCI_INDEX, INDEX("", ",\"config\":{}"), "config" },
	{ MEDIATYPE_OCI_INDEX, "{\"schemaVersion\":2}", "manifests" },
	{ MEDIATYPE_OCI_INDEX, "{\"schemaVersion\":2,\"manifests\":{}}",
	    "manifests" },
	{ "", INDEX("", ",\"layers\":[]"), "layers" },
	{ MEDIATYPE_OCI_ARTIFACT, "{\"manifests\":[]}", "manifests" },
	{ MEDIATYPE_OCI_INDEX, INDEX("", ",\"mediaType\":\""
	    MEDIATYPE_OCI_MANIFEST "\""), "Content-Type" },
	{ MEDIATYPE_OCI_MANIFEST, IMAGE(",\"mediaType\":7"),
	    "Content-Type" },
	{ "application/vnd.own+json", "{\"mediaType\":\"a/b\"}",
	    "Content-Type" },
	{ "no type", IMAGE(""), "Content-Type" },
	{ MEDIATYPE_OCI_MANIFEST, "{\"schemaVersion\":3,\"config\":" CONFIG
	    ",\"layers\":[]}", "schemaVersion" },
	{ MEDIATYPE_OCI_MANIFEST, "{\"schemaVersion\":2.0,\"config\":" CONFIG
	    ",\"layers\":[]}", "schemaVersion" },
	{ MEDIATYPE_OCI_MANIFEST, "{\"schemaVersion\":2,\"layers\":[]}",
	    "config" },
	{ MEDIATYPE_OCI_MANIFEST, "{\"schemaVersion\":2,\"config\":null,"
	    "\"layers\":[]}", "config" },
	{ MEDIATYPE_OCI_MANIFEST, "{\"schemaVersion\":2,\"config\":" CONFIG
	    "}", "layers" },
	{ MEDIATYPE_OCI_MANIFEST, "{\"schemaVersion\":2,\"config\":" CONFIG
	    ",\"layers\":[7]}", "object" },
	{ MEDIATYPE_OCI_MANIFEST, "{\"schemaVersion\":2,\"config\":{\"size\":"
	    "1,\"digest\":\"md5:00\"},\"layers\":[]}", "digest" },
	{ MEDIATYPE_OCI_MANIFEST, "{\"schemaVersion\":2,\"config\":{\"size\":"
	    "-1,\"digest\":\"" A "\"},\"layers\":[]}", "size" },
	{ MEDIATYPE_OCI_MANIFEST, "{\"schemaVersion\":2,\"config\":{\"size\":"
	    "1.5,\"digest\":\"" A "\"},\"layers\":[]}", "size" },
	{ MEDIATYPE_OCI_MANIFEST, "{\"schemaVersion\":2,\"config\":{\"size\":"
	    "99999999999999999999,\"digest\":\"" A "\"},\"layers\":[]}",
	    "JSON" },
	{ MEDIATYPE_OCI_MANIFEST, "{\"schemaVersion\":2,\"config\":{"
	    "\"digest\":\"" A "\"},\"layers\":[]}", "size" },
	{ MEDIATYPE_OCI_MANIFEST, "{\"schemaVersion\":2,\"config\":{\"size\":"
	    "1,\"Digest\":\"" B "\",\"digest\":\"" A "\"},\"layers\":[]}",
	    "ambiguous" },
	{ MEDIATYPE_OCI_MANIFEST, IMAGE(",\"subject\":\"" A "\""),
	    "subject" },
	{ MEDIATYPE_OCI_MANIFEST, IMAGE(",\"subject\":{\"size\":1}"),
	    "subject" },
	{ MEDIATYPE_OCI_MANIFEST, IMAGE(",\"annotations\":{\"a\":1}"),
	    "annotations" },
	{ MEDIATYPE_OCI_MANIFEST, IMAGE(",\"artifactType\":1"),
	    "artifactType" },
	{ MEDIATYPE_OCI_MANIFEST, IMAGE(",\"artifactType\":\"a b\","
	    "\"subject\":" LAYER), "artifactType" },
	{ "application/vnd.docker.distribution.manifest.v1+prettyjws",
	    "{\"schemaVersion\":1,\"fsLayers\":[],\"signatures\":[]}",
	    "schema 1" },
	{ "application/vnd.docker.distribution.manifest.v1+json", "{}",
	    "schema 1" },
	{ "", "{\"schemaVersion\":1,\"fsLayers\":[]}", "schema 1" },
	{ "application/json", "{\"schemaVersion\":1,\"fsLayers\":[]}",
	    "schema 1" },
	{ MEDIATYPE_OCI_MANIFEST, "{\"schemaVersion\":1,\"config\":" CONFIG
	    ",\"layers\":[]}", "schema 1" },
};

static void
test_accepts(void **state)
{
	struct manifest m;
	char error[160];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (manifest_parse(&m, good[i].body, strlen(good[i].body),
		    good[i].type, error, sizeof(error)) == -1)
			fail_msg("%zu: %s", i, error);
		if (m.blobs.n != good[i].nblobs ||
		    m.children.n != good[i].nchildren ||
		    m.others.n != good[i].nothers || m.told != good[i].told)
			fail_msg("%zu: %zu %zu %zu %d", i, m.blobs.n,
			    m.children.n, m.others.n, m.told);
		if (good[i].type[0] != '\0')
			assert_string_equal(m.mediatype, good[i].type);
		manifest_done(&m);
	}
}

static void
test_refuses(void **state)
{
	struct manifest m;
	char error[160];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (manifest_parse(&m, bad[i].body, strlen(bad[i].body),
		    bad[i].type, error, sizeof(error)) == 0)
			fail_msg("%zu: taken: %s", i, bad[i].body);
		if (strstr(error, bad[i].reason) == NULL)
			fail_msg("%zu: %s", i, error);
	}
}

/* What is told by the bytes alone must be read back from them. */
static void
test_read_back(void **state)
{
	struct manifest m, again;
	char error[160];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(manifest_parse(&m, good[i].body,
		    strlen(good[i].body), good[i].type, error,
		    sizeof(error)), 0);
		assert_int_equal(manifest_read(&again, good[i].body,
		    strlen(good[i].body), m.told ? NULL : m.mediatype), 0);
		assert_string_equal(again.mediatype, m.mediatype);
		assert_string_equal(again.artifact_type, m.artifact_type);
		assert_int_equal(again.kind, m.kind);
		assert_int_equal(again.has_subject, m.has_subject);
		if (m.has_subject)
			assert_true(digest_equal(&again.subject, &m.subject));
		manifest_done(&again);
		manifest_done(&m);
	}
}

static void
test_reads_anything(void **state)
{
	static const struct {
		const char	*body, *type;
	} cases[] = {
		{ "", "application/octet-stream" },
		{ "junk", "application/octet-stream" },
		{ "{}", MEDIATYPE_OCI_MANIFEST },
		{ "{\"manifests\":[]}", MEDIATYPE_OCI_INDEX },
		{ "{\"mediaType\":\"a/b\",\"manifests\":[]}", "a/b" },
		{ "{\"mediaType\":\"a b\",\"manifests\":[]}",
		    MEDIATYPE_OCI_INDEX },
		{ "{\"mediaType\":7}", MEDIATYPE_OCI_MANIFEST },
		{ "{\"schemaVersion\":1}",
		    "application/vnd.docker.distribution.manifest.v1+json" },
		{ "{\"schemaVersion\":1,\"fsLayers\":[],\"signatures\":[]}",
		    "application/vnd.docker.distribution.manifest.v1"
		    "+prettyjws" },
	};
	struct manifest m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(manifest_read(&m, cases[i].body,
		    strlen(cases[i].body), NULL), 0);
		assert_string_equal(m.mediatype, cases[i].type);
		manifest_done(&m);
	}
}

static void
test_artifact_type(void **state)
{
	static const struct {
		const char	*type, *body, *want;
	} cases[] = {
		{ MEDIATYPE_OCI_MANIFEST, IMAGE(""),
		    "application/vnd.oci.image.config.v1+json" },
		{ MEDIATYPE_OCI_MANIFEST, IMAGE(",\"artifactType\":\"\""),
		    "application/vnd.oci.image.config.v1+json" },
		{ MEDIATYPE_OCI_MANIFEST, IMAGE(",\"artifactType\":\"x/y\""),
		    "x/y" },
		{ MEDIATYPE_OCI_INDEX, INDEX("", ""), "" },
		{ MEDIATYPE_OCI_INDEX, INDEX("", ",\"artifactType\":\"x/y\""),
		    "x/y" },
		{ MEDIATYPE_OCI_ARTIFACT, "{\"artifactType\":\"x/y\"}",
		    "x/y" },
		{ "application/vnd.own", "{\"artifactType\":\"x/y\"}", "" },
	};
	struct manifest m;
	char error[160];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(manifest_parse(&m, cases[i].body,
		    strlen(cases[i].body), cases[i].type, error,
		    sizeof(error)), 0);
		assert_string_equal(m.artifact_type, cases[i].want);
		manifest_done(&m);
	}
}

static void
test_subject_and_annotations(void **state)
{
	static const char body[] = IMAGE(",\"subject\":" DESC("a/b", C)
	    ",\"annotations\":{\"k\":\"v\"}");
	struct manifest m;
	struct digest want;
	char error[160];

	(void)state;
	assert_int_equal(manifest_parse(&m, body, sizeof(body) - 1, "", error,
	    sizeof(error)), 0);
	assert_int_equal(digest_parse(&want, C), 0);
	assert_true(m.has_subject);
	assert_true(digest_equal(&m.subject, &want));
	assert_string_equal(json_string_value(json_object_get(m.annotations,
	    "k")), "v");
	manifest_done(&m);
}

/* An index with n entries, and n levels of nesting in a member of its own. */
static char *
make_index(size_t n, size_t depth, size_t *len)
{
	static const char entry[] = DESC(MEDIATYPE_OCI_MANIFEST, A);
	char *text = malloc(n * sizeof(entry) + 2 * depth + 128), *p = text;
	size_t i;

	assert_non_null(text);
	p += sprintf(p, "{\"schemaVersion\":2,\"x\":");
	for (i = 0; i < depth; i++)
		*p++ = '[';
	*p++ = '1';
	for (i = 0; i < depth; i++)
		*p++ = ']';
	p += sprintf(p, ",\"manifests\":[");
	for (i = 0; i < n; i++)
		p += sprintf(p, "%s%s", i > 0 ? "," : "", entry);
	p += sprintf(p, "]}");
	*len = (size_t)(p - text);
	return text;
}

static void
test_bounds(void **state)
{
	static const struct {
		size_t	 n, depth;
		int	 want;
	} cases[] = {
		{ MANIFEST_MAX_DESCRIPTORS, 0, 0 },
		{ MANIFEST_MAX_DESCRIPTORS + 1, 0, -1 },
		{ 20000, 0, -1 },
		{ 1, 31, 0 },
		{ 1, 32, -1 },
		{ 1, 100000, -1 },
	};
	struct manifest m;
	char error[160], *text;
	size_t i, len;
	int got;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text = make_index(cases[i].n, cases[i].depth, &len);
		got = manifest_parse(&m, text, len, MEDIATYPE_OCI_INDEX,
		    error, sizeof(error));
		if (got != cases[i].want)
			fail_msg("%zu: %s", i, got == 0 ? "taken" : error);
		if (got == 0) {
			assert_int_equal(m.children.n, cases[i].n);
			manifest_done(&m);
		}
		free(text);
	}
}

static void
test_entries(void **state)
{
	static const char body[] = INDEX(DESC("a/b", A) ",7,{},"
	    DESC("a/b", "sha256:short") "," DESC("c/d", C), "");
	struct manifest_refs refs;
	struct manifest m;
	struct digest want;

	(void)state;
	assert_int_equal(manifest_read(&m, body, sizeof(body) - 1, NULL), 0);
	assert_int_equal(manifest_entries(&m, &refs), 0);
	assert_int_equal(refs.n, 2);
	assert_int_equal(digest_parse(&want, C), 0);
	assert_true(digest_equal(&refs.items[1], &want));
	manifest_refs_done(&refs);
	manifest_done(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepts),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_read_back),
		cmocka_unit_test(test_reads_anything),
		cmocka_unit_test(test_artifact_type),
		cmocka_unit_test(test_subject_and_annotations),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
