/* SPDX-License-Identifier: ISC */
/*
 * Media types and Accept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mediatype.h"

static void
test_kinds(void **state)
{
	static const struct {
		const char	*type;
		enum mediatype_kind kind;
	} cases[] = {
		{ MEDIATYPE_OCI_MANIFEST, MEDIATYPE_IMAGE },
		{ MEDIATYPE_DOCKER_MANIFEST, MEDIATYPE_IMAGE },
		{ MEDIATYPE_OCI_INDEX, MEDIATYPE_INDEX },
		{ MEDIATYPE_DOCKER_LIST, MEDIATYPE_INDEX },
		{ MEDIATYPE_OCI_ARTIFACT, MEDIATYPE_ARTIFACT },
		{ "application/vnd.docker.distribution.manifest.v1+json",
		    MEDIATYPE_SCHEMA1 },
		{ "application/vnd.docker.distribution.manifest.v1+prettyjws",
		    MEDIATYPE_SCHEMA1 },
		{ "application/json", MEDIATYPE_OTHER },
		{ "Application/vnd.oci.image.index.v1+json",
		    MEDIATYPE_OTHER },
		{ "", MEDIATYPE_OTHER },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(mediatype_kind(cases[i].type),
		    cases[i].kind);
}

static void
test_grammar(void **state)
{
	static const struct {
		const char	*type;
		bool		 ok;
	} cases[] = {
		{ "application/json", true },
		{ MEDIATYPE_OCI_MANIFEST, true },
		{ "a/b", true },
		{ "x9!#$&-^_.+/y", true },
		{ "", false },
		{ "application", false },
		{ "application/", false },
		{ "/json", false },
		{ "application/json; charset=utf-8", false },
		{ "application/json/x", false },
		{ "application /json", false },
		{ ".a/b", false },
		{ "a/\xc3\xa9", false },
		{ "a/b\n", false },
		{ "*/*", false },
	};
	char long_type[400];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (mediatype_ok(cases[i].type) != cases[i].ok)
			fail_msg("%s", cases[i].type);
	memset(long_type, 'a', sizeof(long_type));
	long_type[127] = '/';
	long_type[255] = '\0';
	assert_true(mediatype_ok(long_type));
	long_type[255] = 'a';
	long_type[256] = '\0';
	assert_false(mediatype_ok(long_type));
}

static void
test_accept(void **state)
{
	static const struct {
		const char	*accept;
		bool		 yes;
	} cases[] = {
		{ NULL, true },
		{ "", true },
		{ " , ,", true },
		{ "*/*", true },
		{ "*", true },
		{ "application/*", true },
		{ "text/html, */*;q=0.1", true },
		{ "APPLICATION/vnd.oci.image.index.v1+JSON", true },
		{ "text/html,application/vnd.oci.image.index.v1+json;q=0.5",
		    true },
		{ "application/vnd.oci.image.index.v1+json;v=\"a,b\"", true },
		{ "text/html", false },
		{ "text/*", false },
		{ "application/vnd.oci.image.index.v1", false },
		{ "application/vnd.oci.image.index.v1+jsonx", false },
		{ "application/vnd.oci.image.index.v1+json;q=0", false },
		{ "*/*, application/vnd.oci.image.index.v1+json; q=0.000",
		    false },
		{ "application/*;q=0, */*", false },
		{ "application/*;q=0, application/vnd.oci.image.index.v1+json",
		    true },
		{ "x;y=\"application/vnd.oci.image.index.v1+json\"", false },
		{ "x;y=\"\\\",*/*\"", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (mediatype_accepted(cases[i].accept,
		    MEDIATYPE_OCI_INDEX) != cases[i].yes)
			fail_msg("%zu: %s", i, cases[i].accept);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_grammar),
		cmocka_unit_test(test_accept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
