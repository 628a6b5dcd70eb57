/* SPDX-License-Identifier: ISC */
/*
 * Token requests as clients really send them, and over the channel.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "encode.h"
#include "token_request.h"

/* "type:name:actions ..." of what was understood. */
static void
format(char *dst, size_t size, const struct scope_set *set)
{
	struct buf	 text;
	size_t		 i;

	buf_init(&text, size - 1);
	for (i = 0; i < set->n; i++) {
		if (i > 0)
			buf_addc(&text, ' ');
		scope_format(&text, set->items[i].type, set->items[i].name,
		    set->items[i].actions);
	}
	snprintf(dst, size, "%s", buf_str(&text));
	buf_done(&text);
}

static bool	 refresh;		/* are there refresh tokens? */

static enum token_parse
from_query(struct token_request *req, const char *target, const char *auth)
{
	enum token_parse	 result;
	struct uri		 uri;

	memset(req, 0, sizeof(*req));
	assert_int_equal(uri_parse(&uri, target, strlen(target)), 0);
	result = token_request_from_query(req, &uri, auth, refresh);
	uri_done(&uri);
	return result;
}

static enum token_parse
from_form(struct token_request *req, const char *body)
{
	memset(req, 0, sizeof(*req));
	return token_request_from_form(req, body, strlen(body), refresh);
}

static void
test_query_scopes(void **state)
{
	static const struct {
		const char	*query;
		bool		 asked;
		const char	*want;
	}		 cases[] = {
		{ "", false, "" },
		{ "?scope=", false, "" },
		{ "?scope=+%20", false, "" },
		{ "?scope=repository:a:pull", true, "repository:a:pull" },
		{ "?scope=repository:a:pull&scope=repository:b:push", true,
		    "repository:a:pull repository:b:push" },
		{ "?scope=repository:a:pull+repository:b:push", true,
		    "repository:a:pull repository:b:push" },
		{ "?scope=repository:a:pull%20repository:b:push", true,
		    "repository:a:pull repository:b:push" },
		{ "?scope=repository:a:pull&scope=repository:a:push", true,
		    "repository:a:pull,push" },
		{ "?scope=repository:a:pull,pull,fly,push", true,
		    "repository:a:pull,push" },
		{ "?scope=repository(plugin):a:pull", true,
		    "repository:a:pull" },
		/* Senseless, but asked: not an error. */
		{ "?scope=foo", true, "" },
		{ "?scope=:::", true, "" },
		{ "?scope=repository:a", true, "" }
	};
	struct token_request	 req;
	char			 target[512], got[512];
	size_t			 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(target, sizeof(target), "/token%s", cases[i].query);
		assert_int_equal(from_query(&req, target, NULL),
		    TOKEN_PARSE_OK);
		format(got, sizeof(got), &req.scopes);
		assert_string_equal(got, cases[i].want);
		assert_int_equal(req.asked, cases[i].asked);
		assert_int_equal(req.kind, CRED_NONE);
		token_request_done(&req);
	}
}

static void
test_query_service(void **state)
{
	static const struct {
		const char		*query;
		enum token_parse	 result;
		const char		*service;
	}		 cases[] = {
		{ "", TOKEN_PARSE_OK, "" },
		{ "?service=", TOKEN_PARSE_OK, "" },
		{ "?service=registry.test", TOKEN_PARSE_OK, "registry.test" },
		{ "?service=a+b", TOKEN_PARSE_OK, "a b" },
		{ "?service=a&service=a", TOKEN_PARSE_SERVICE, "" },
		{ "?account=x&client_id=docker&offline_token=true&service=s",
		    TOKEN_PARSE_OK, "s" }
	};
	struct token_request	 req;
	char			 target[512];
	size_t			 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(target, sizeof(target), "/token%s", cases[i].query);
		assert_int_equal(from_query(&req, target, NULL),
		    cases[i].result);
		assert_string_equal(req.service, cases[i].service);
		token_request_done(&req);
	}
	memset(target, 'x', 400);
	memcpy(target, "/token?service=", 15);
	target[400] = '\0';
	assert_int_equal(from_query(&req, target, NULL),
	    TOKEN_PARSE_SERVICE);
	token_request_done(&req);
}

static void
test_query_too_many_scopes(void **state)
{
	struct token_request	 req;
	char			 target[4096] = "/token?scope=";
	size_t			 i, len;

	(void)state;
	for (i = 0; i <= SCOPE_MAX; i++) {
		len = strlen(target);
		snprintf(target + len, sizeof(target) - len,
		    "repository:a%zu:pull+", i);
		assert_int_equal(from_query(&req, target, NULL),
		    i < SCOPE_MAX ? TOKEN_PARSE_OK : TOKEN_PARSE_SCOPES);
		token_request_done(&req);
	}
}

static void
test_basic(void **state)
{
	static const struct {
		const char		*text;	/* before base64 */
		size_t			 len;
		enum token_parse	 result;
		const char		*user, *password;
	}		 cases[] = {
#define TEXT(s)	s, sizeof(s) - 1
		{ TEXT("alice:secret"), TOKEN_PARSE_OK, "alice", "secret" },
		{ TEXT("alice:se:cr%t "), TOKEN_PARSE_OK, "alice",
		    "se:cr%t " },
		{ TEXT("alice: "), TOKEN_PARSE_OK, "alice", " " },
		{ TEXT("\xc3\xbc:\xc3\xbc"), TOKEN_PARSE_OK, "\xc3\xbc",
		    "\xc3\xbc" },
		{ TEXT("alice:"), TOKEN_PARSE_CREDENTIALS, NULL, NULL },
		{ TEXT(":secret"), TOKEN_PARSE_CREDENTIALS, NULL, NULL },
		{ TEXT(":"), TOKEN_PARSE_CREDENTIALS, NULL, NULL },
		{ TEXT("alice"), TOKEN_PARSE_CREDENTIALS, NULL, NULL },
		{ TEXT("alice:secret\0x"), TOKEN_PARSE_CREDENTIALS, NULL,
		    NULL },
		{ TEXT("\0alice:x"), TOKEN_PARSE_CREDENTIALS, NULL, NULL },
		{ TEXT("\xff\xfe:x"), TOKEN_PARSE_CREDENTIALS, NULL, NULL }
#undef TEXT
	};
	struct token_request	 req;
	char			 header[512];
	size_t			 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(header, "Basic ", 6);
		base64_encode(header + 6, cases[i].text, cases[i].len);
		assert_int_equal(from_query(&req, "/token", header),
		    cases[i].result);
		if (cases[i].user != NULL) {
			assert_int_equal(req.kind, CRED_PASSWORD);
			assert_string_equal(req.user, cases[i].user);
			assert_string_equal(secret_data(req.password),
			    cases[i].password);
		} else {
			assert_null(req.password);
		}
		token_request_done(&req);
	}
}

static void
test_other_authorization(void **state)
{
	static const char *const headers[] = { "Basic", "Basic ",
	    "Basic !!!!", "Basic YWxpY2U6 c2VjcmV0", "Bearer abc", "Digest x",
	    "" };
	struct token_request	 req;
	size_t			 i;

	(void)state;
	/* Never anonymous by mistake. */
	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		assert_int_equal(from_query(&req,
		    "/token?scope=repository:a:pull", headers[i]),
		    TOKEN_PARSE_CREDENTIALS);
		token_request_done(&req);
	}
}

static void
test_form(void **state)
{
	static const struct {
		const char		*body;
		enum token_parse	 result;
	}		 cases[] = {
		{ "", TOKEN_PARSE_GRANT_TYPE },
		{ "username=a&password=b", TOKEN_PARSE_GRANT_TYPE },
		{ "grant_type=refresh_token&refresh_token=x",
		    TOKEN_PARSE_GRANT_TYPE },
		{ "grant_type=password&username=a&password=b",
		    TOKEN_PARSE_OK },
		{ "grant_type=password&username=a&password=b&service=s"
		    "&client_id=c&access_type=offline", TOKEN_PARSE_OK },
		{ "grant_type=password&username=a", TOKEN_PARSE_CREDENTIALS },
		{ "grant_type=password&password=b", TOKEN_PARSE_CREDENTIALS },
		{ "grant_type=password&username=&password=",
		    TOKEN_PARSE_CREDENTIALS },
		{ "grant_type=password", TOKEN_PARSE_CREDENTIALS },
		{ "grant_type=password&username=a%00&password=b",
		    TOKEN_PARSE_CREDENTIALS },
		{ "grant_type=password&username=a&password=b%00c",
		    TOKEN_PARSE_CREDENTIALS },
		{ "grant_type=password&username=a&username=b&password=c",
		    TOKEN_PARSE_BAD },
		{ "grant_type=password&username=a&password=b&password=c",
		    TOKEN_PARSE_BAD },
		{ "grant_type=password&grant_type=password&username=a"
		    "&password=b", TOKEN_PARSE_BAD },
		{ "grant_type=password&username=%zz&password=b",
		    TOKEN_PARSE_BAD },
		{ "grant_type=password&service=a&service=b&username=a"
		    "&password=b", TOKEN_PARSE_SERVICE }
	};
	struct token_request	 req;
	size_t			 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (from_form(&req, cases[i].body) != cases[i].result)
			fail_msg("%s: not %d", cases[i].body,
			    cases[i].result);
		token_request_done(&req);
	}
}

static void
test_form_values(void **state)
{
	struct token_request	 req;
	char			 got[256];

	(void)state;
	assert_int_equal(from_form(&req, "grant_type=password&username=a%3Ab"
	    "&password=+%26%3D%25%2B&scope=repository:a:pull+repository:b:*"
	    "&scope=repository:c:push"), TOKEN_PARSE_OK);
	assert_string_equal(req.user, "a:b");
	assert_string_equal(secret_data(req.password), " &=%+");
	format(got, sizeof(got), &req.scopes);
	assert_string_equal(got, "repository:a:pull repository:b:* "
	    "repository:c:push");
	token_request_done(&req);
}

static void
test_refresh(void **state)
{
	static const struct {
		const char		*body;
		enum token_parse	 result;
	}		 cases[] = {
		{ "grant_type=refresh_token&refresh_token=adf_x&service=s"
		    "&client_id=c&scope=repository:a:pull", TOKEN_PARSE_OK },
		{ "grant_type=refresh_token", TOKEN_PARSE_CREDENTIALS },
		{ "grant_type=refresh_token&refresh_token=",
		    TOKEN_PARSE_CREDENTIALS },
		{ "grant_type=refresh_token&refresh_token=a&refresh_token=b",
		    TOKEN_PARSE_BAD },
		{ "grant_type=refresh_token&refresh_token=a%00",
		    TOKEN_PARSE_CREDENTIALS },
		{ "grant_type=Refresh_Token&refresh_token=a",
		    TOKEN_PARSE_GRANT_TYPE }
	};
	struct token_request	 req;
	size_t			 i;

	(void)state;
	refresh = true;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (from_form(&req, cases[i].body) != cases[i].result)
			fail_msg("%s: not %d", cases[i].body,
			    cases[i].result);
		token_request_done(&req);
	}
	assert_int_equal(from_form(&req, cases[0].body), TOKEN_PARSE_OK);
	assert_int_equal(req.kind, CRED_REFRESH);
	assert_string_equal(req.user, "");
	assert_string_equal(secret_data(req.password), "adf_x");
	assert_string_equal(req.client, "c");
	assert_false(req.offline);
	token_request_done(&req);
	/* What clients fall back to: nobody, or "<token>", as the user. */
	assert_int_equal(from_query(&req, "/token", "Basic OmFkZl94"),
	    TOKEN_PARSE_OK);
	assert_int_equal(req.kind, CRED_REFRESH);
	assert_string_equal(secret_data(req.password), "adf_x");
	token_request_done(&req);
	assert_int_equal(from_query(&req, "/token",
	    "Basic PHRva2VuPjphZGZfeA=="), TOKEN_PARSE_OK);
	assert_int_equal(req.kind, CRED_REFRESH);
	token_request_done(&req);
	refresh = false;
	assert_int_equal(from_query(&req, "/token", "Basic OmFkZl94"),
	    TOKEN_PARSE_CREDENTIALS);
	token_request_done(&req);
}

static void
test_offline(void **state)
{
	static const struct {
		const char	*query;
		bool		 offline;
		const char	*client;
	}		 cases[] = {
		{ "/token", false, "" },
		{ "/token?offline_token=true&client_id=docker", true,
		    "docker" },
		{ "/token?offline_token=1", false, "" },
		{ "/token?access_type=offline", false, "" },
		{ "/token?client_id=a%0ab", false, "" },
		{ "/token?client_id=%c3%bc", false, "" }
	};
	struct token_request	 req;
	size_t			 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(from_query(&req, cases[i].query, NULL),
		    TOKEN_PARSE_OK);
		assert_int_equal(req.offline, cases[i].offline);
		assert_string_equal(req.client, cases[i].client);
		token_request_done(&req);
	}
	assert_int_equal(from_form(&req, "grant_type=password&username=a"
	    "&password=b&access_type=offline&client_id=containerd-client"),
	    TOKEN_PARSE_OK);
	assert_true(req.offline);
	assert_string_equal(req.client, "containerd-client");
	token_request_done(&req);
	assert_int_equal(from_form(&req, "grant_type=password&username=a"
	    "&password=b&offline_token=true"), TOKEN_PARSE_OK);
	assert_false(req.offline);
	token_request_done(&req);
}

/* ---- the channel ---- */

static int
receive(const void *data, size_t len, struct token_request *req, char *peer)
{
	struct msg	 msg;

	memset(req, 0, sizeof(*req));
	assert_int_equal(msg_parse(&msg, data, len), 0);
	return token_request_get(&msg, req, peer, 64);
}

static void
test_channel(void **state)
{
	struct token_request	 req, copy;
	struct msg_out		 out;
	char			 peer[64], got[256];
	size_t			 len;

	(void)state;
	assert_int_equal(from_form(&req, "grant_type=password&username=alice"
	    "&password=secret&service=s&scope=repository:a:pull"
	    "&access_type=offline&client_id=c"), TOKEN_PARSE_OK);
	msg_begin(&out, MSG_TOKEN_REQUEST, 7);
	token_request_put(&out, &req, "2001:db8::1");
	assert_false(out.failed);
	assert_int_equal(receive(out.data, out.len, &copy, peer), 0);
	assert_string_equal(peer, "2001:db8::1");
	assert_string_equal(copy.service, "s");
	assert_string_equal(copy.user, "alice");
	assert_string_equal(secret_data(copy.password), "secret");
	assert_true(copy.asked);
	assert_true(copy.offline);
	assert_string_equal(copy.client, "c");
	format(got, sizeof(got), &copy.scopes);
	assert_string_equal(got, "repository:a:pull");
	token_request_done(&copy);
	/* Cut anywhere it is refused, and nothing is read too far. */
	for (len = MSG_HEADER_SIZE; len < out.len; len++) {
		assert_int_equal(receive(out.data, len, &copy, peer), -1);
		token_request_done(&copy);
	}
	msg_drop(&out);
	token_request_done(&req);
}

static void
put_request(struct msg_out *out, uint8_t kind, const char *user,
    const char *password, size_t len, uint32_t nscopes)
{
	uint32_t	 i;

	msg_begin(out, MSG_TOKEN_REQUEST, 1);
	msg_put_str(out, "::1");
	msg_put_str(out, "");
	msg_put_u8(out, kind);
	msg_put_str(out, user);
	msg_put_bytes(out, password, len);
	msg_put_bool(out, false);
	msg_put_bool(out, false);
	msg_put_str(out, "");
	msg_put_u32(out, nscopes);
	for (i = 0; i < nscopes; i++) {
		msg_put_str(out, "repository");
		msg_put_str(out, "a");
		msg_put_u32(out, ACTION_PULL);
	}
}

/* A worker that was taken over may send anything. */
static void
test_channel_trusts_nobody(void **state)
{
	static const struct {
		uint8_t		 kind;
		const char	*user, *password;
		size_t		 len;
		uint32_t	 nscopes;
		int		 want;
	}		 cases[] = {
		{ CRED_NONE, "", "", 0, 0, 0 },
		{ CRED_PASSWORD, "a", "b", 1, 0, 0 },
		{ CRED_NONE, "a", "", 0, 0, -1 },
		{ CRED_NONE, "", "b", 1, 0, -1 },
		{ CRED_PASSWORD, "", "b", 1, 0, -1 },
		{ CRED_PASSWORD, "a", "", 0, 0, -1 },
		{ CRED_REFRESH, "", "b", 1, 0, 0 },
		{ CRED_REFRESH, "a", "b", 1, 0, -1 },
		{ CRED_REFRESH, "", "", 0, 0, -1 },
		{ CRED_REFRESH, "", "b\0c", 3, 0, -1 },
		{ CRED_PASSWORD, "a", "b\0c", 3, 0, -1 },
		{ 9, "a", "b", 1, 0, -1 },
		{ CRED_NONE, "", "", 0, SCOPE_MAX, 0 },
		{ CRED_NONE, "", "", 0, SCOPE_MAX + 1, -1 }
	};
	struct token_request	 copy;
	struct msg_out		 out;
	char			 peer[64];
	size_t			 i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put_request(&out, cases[i].kind, cases[i].user,
		    cases[i].password, cases[i].len, cases[i].nscopes);
		assert_int_equal(receive(out.data, out.len, &copy, peer),
		    cases[i].want);
		token_request_done(&copy);
		msg_drop(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_query_scopes),
		cmocka_unit_test(test_query_service),
		cmocka_unit_test(test_query_too_many_scopes),
		cmocka_unit_test(test_basic),
		cmocka_unit_test(test_other_authorization),
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_form_values),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_offline),
		cmocka_unit_test(test_channel),
		cmocka_unit_test(test_channel_trusts_nobody)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
