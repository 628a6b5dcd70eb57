/* SPDX-License-Identifier: ISC */
/*
 * Group files: what is read, what is refused with which line, and that the
 * broker gets the same by messages.
 */
#include "htgroup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acl.h"

static struct htgroup *
parse(const char *text, size_t len, char **messages)
{
	struct htgroup	*htgroup;
	size_t		 size;
	FILE		*file = open_memstream(messages, &size);

	assert_non_null(file);
	htgroup = htgroup_parse("f", text, len, file);
	fclose(file);
	return htgroup;
}

static void
test_htgroup_reads(void **state)
{
	static const char	 text[] = "# comment\n\n"
				    "ops:  alice\tbob \r\n"
				    "  dev : carol\n"
				    "empty:\n"
				    "ops: carol";
	struct htgroup		*htgroup;
	char			*messages;

	(void)state;
	htgroup = parse(text, strlen(text), &messages);
	assert_string_equal(messages, "");
	assert_non_null(htgroup);
	assert_int_equal(htgroup->n, 3);
	assert_string_equal(htgroup->groups[0].name, "dev");
	assert_int_equal(htgroup->groups[0].users.n, 1);
	assert_string_equal(htgroup->groups[1].name, "empty");
	assert_int_equal(htgroup->groups[1].users.n, 0);
	assert_string_equal(htgroup->groups[2].name, "ops");
	assert_int_equal(htgroup->groups[2].users.n, 3);
	assert_string_equal(htgroup->groups[2].users.items[1], "bob");
	assert_string_equal(htgroup->groups[2].users.items[2], "carol");
	htgroup_free(htgroup);
	free(messages);
	htgroup = parse("", 0, &messages);
	assert_int_equal(htgroup->n, 0);
	htgroup_free(htgroup);
	free(messages);
}

static void
test_htgroup_refuses(void **state)
{
	static const struct {
		const char	*text;
		size_t		 len;		/* 0: strlen() */
		const char	*want;
	} cases[] = {
		{ "a: b\nc d\n", 0, "error: f:2: accepted" },
		{ ":a\n", 0, "f:1: a group has a name" },
		{ " :a\n", 0, "f:1: a group has a name" },
		{ "a b: c\n", 0, "f:1: a group has a name" },
		{ "a: b:c\n", 0, "f:1: a user has" },
		{ "a: b\\\nc: d\n", 0, "f:1: a line cannot be continued" },
		{ "\xef\xbb\xbf" "a: b\n", 0, "f:1: a byte order mark" },
		{ "a: b\0c\n", 7, "f:1: a control character" },
		{ "a: b\x1b\n", 0, "f:1: a control character" },
		{ "x\ny\n", 0, "f:2: accepted" },
	};
	char	*messages;
	size_t	 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_null(parse(cases[i].text, cases[i].len == 0 ?
		    strlen(cases[i].text) : cases[i].len, &messages));
		if (strstr(messages, cases[i].want) == NULL)
			fail_msg("case %zu: %s", i, messages);
		free(messages);
	}
}

static void
test_htgroup_has_limits(void **state)
{
	struct htgroup	*htgroup;
	size_t		 i, len, size = 16u << 20;
	char		*text = malloc(size), *messages;

	(void)state;
	assert_non_null(text);
	for (i = len = 0; i < 1024; i++)
		len += (size_t)snprintf(text + len, size - len, "g%zu: a\n",
		    i);
	htgroup = parse(text, len, &messages);
	assert_non_null(htgroup);
	htgroup_free(htgroup);
	free(messages);
	len += (size_t)snprintf(text + len, size - len, "more: a\n");
	assert_null(parse(text, len, &messages));
	assert_non_null(strstr(messages, "f:1025: more than 1024 groups"));
	free(messages);
	for (i = len = 0; i < 65537; i++)
		len += (size_t)snprintf(text + len, size - len, "g: u%zu\n",
		    i);
	assert_null(parse(text, len, &messages));
	assert_non_null(strstr(messages, "f:65537: more than 65536 members"));
	free(messages);
	free(text);
}

/* What htgroup_send() writes, without a channel. */
static void
test_htgroup_messages(void **state)
{
	static const char	*names[] = { "ops", "dev" };
	struct htgroup		*htgroup = NULL;
	struct msg_out		 out;
	struct msg		 msg;
	size_t			 header, i;

	(void)state;
	msg_begin(&out, 1, 0);
	header = out.len;
	msg_put_bool(&out, true);
	for (i = 0; i < 2; i++) {
		msg_put_bool(&out, true);
		msg_put_str(&out, names[i]);
		msg_put_bool(&out, true);
		msg_put_str(&out, "alice");
		msg_put_bool(&out, false);
	}
	msg_put_bool(&out, false);
	for (i = header; i <= out.len; i++) {
		memset(&msg, 0, sizeof(msg));
		msg.data = out.data + header;
		msg.len = i - header;
		assert_int_equal(htgroup_on_message(&htgroup, &msg),
		    i == out.len ? 0 : -1);
	}
	assert_int_equal(htgroup->n, 2);
	assert_string_equal(htgroup->groups[0].name, "dev");
	htgroup_free(htgroup);
	/* Not the first one. */
	htgroup = NULL;
	memset(&msg, 0, sizeof(msg));
	out.data[header] = 0;
	msg.data = out.data + header;
	msg.len = out.len - header;
	assert_int_equal(htgroup_on_message(&htgroup, &msg), -1);
	assert_null(htgroup);
	msg_drop(&out);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_htgroup_reads),
		cmocka_unit_test(test_htgroup_refuses),
		cmocka_unit_test(test_htgroup_has_limits),
		cmocka_unit_test(test_htgroup_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
