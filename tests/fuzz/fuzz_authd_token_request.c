/* SPDX-License-Identifier: ISC */
/*
 * Token requests: the first byte says whether the rest is a query with an
 * Authorization value behind a newline, a form (with capital letters where
 * there are refresh tokens), or a message of a worker.
 * What is taken must go over the channel and come out as the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "token_request.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(bool same)
{
	if (!same)
		abort();
}

static void
check_channel(const struct token_request *req)
{
	struct token_request	 copy;
	struct msg_out		 out;
	struct msg		 msg;
	char			 peer[64];

	memset(&copy, 0, sizeof(copy));
	msg_begin(&out, MSG_TOKEN_REQUEST, 1);
	token_request_put(&out, req, "192.0.2.1");
	check(!out.failed);
	check(msg_parse(&msg, out.data, out.len) == 0);
	check(token_request_get(&msg, &copy, peer, sizeof(peer)) == 0);
	check(strcmp(copy.service, req->service) == 0);
	check(strcmp(copy.user, req->user) == 0);
	check(copy.kind == req->kind && copy.asked == req->asked);
	check(copy.offline == req->offline);
	check(strcmp(copy.client, req->client) == 0);
	check(copy.scopes.n == req->scopes.n);
	token_request_done(&copy);
	msg_drop(&out);
}

static void
run_query(char *text, bool refresh)
{
	struct token_request	 req;
	struct uri		 uri;
	char			*authorization = strchr(text, '\n');

	if (authorization != NULL)
		*authorization++ = '\0';
	if (uri_parse(&uri, text, strlen(text)) == -1)
		return;
	memset(&req, 0, sizeof(req));
	if (token_request_from_query(&req, &uri, authorization, refresh) ==
	    TOKEN_PARSE_OK)
		check_channel(&req);
	token_request_done(&req);
	uri_done(&uri);
}

static void
run_form(const char *text, size_t size, bool refresh)
{
	struct token_request	 req;

	memset(&req, 0, sizeof(req));
	if (token_request_from_form(&req, text, size, refresh) ==
	    TOKEN_PARSE_OK) {
		check(req.kind == CRED_PASSWORD || refresh);
		check_channel(&req);
	}
	token_request_done(&req);
}

static void
run_message(const char *frame, size_t size)
{
	struct token_request	 req;
	struct msg		 msg;
	char			 peer[64];

	if (msg_parse(&msg, frame, size) == -1)
		return;
	memset(&req, 0, sizeof(req));
	if (token_request_get(&msg, &req, peer, sizeof(peer)) == 0)
		check_channel(&req);
	token_request_done(&req);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	*text;

	if (size == 0 || (text = malloc(size)) == NULL)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] == 'q' || data[0] == 'Q')
		run_query(text, data[0] == 'Q');
	else if (data[0] == 'f' || data[0] == 'F')
		run_form(text, size - 1, data[0] == 'F');
	else
		run_message(text, size - 1);
	free(text);
	return 0;
}
