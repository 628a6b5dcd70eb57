/* SPDX-License-Identifier: ISC */
/*
 * Pages of lists.  Runs in the worker.  The names of a page are read from
 * the store at once; their text is made while it is sent.
 */
#include "api_page.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "store.h"
#include "str.h"
#include "uri.h"

#define PIECE		(16 * 1024)
#define HEAD_MAX	(1024)
#define LINK_MAX	(4 * 1024)

struct names {
	char		*head;
	char		**items;
	size_t		 n, next;
	bool		 written;	/* at least one of them */
};

int
api_page_parse(const char *text, uint64_t max, size_t *n)
{
	uint64_t value;

	if (str_parse_u64(text, strlen(text), max, &value) == -1) {
		if (errno != ERANGE)
			return -1;
		value = max;
	}
	*n = (size_t)value;
	return 0;
}

bool
api_page_size(struct api_request *r, uint64_t absent, uint64_t max, size_t *n)
{
	const char *text = uri_param(&r->uri, "n");
	char safe[64];

	if (text == NULL) {
		*n = (size_t)(absent < max ? absent : max);
		return true;
	}
	if (api_page_parse(text, max, n) == 0)
		return true;
	(void)api_fail_with(r, NULL, API_PAGE_INVALID, json_pack("{s:s}", "n",
	    str_vis(safe, sizeof(safe), text, strlen(text))), false);
	return false;
}

static void
add_param(struct buf *url, char *separator, const char *name,
    const char *value)
{
	(void)buf_addf(url, "%c%s=", *separator, name);
	(void)uri_encode(url, value);
	*separator = '&';
}

int
api_page_url(struct buf *url, const char *prefix,
    const struct api_page_link *link)
{
	char separator = '?', number[24];

	(void)buf_addf(url, "%s%s", prefix, link->path);
	if (link->filter != NULL)
		add_param(url, &separator, "artifactType", link->filter);
	add_param(url, &separator, "last", link->last);
	if (link->n > 0) {
		(void)snprintf(number, sizeof(number), "%zu", link->n);
		add_param(url, &separator, "n", number);
	}
	return buf_failed(url) ? -1 : 0;
}

void
api_page_link(const struct api_request *r, struct http_response *resp,
    const struct api_page_link *link)
{
	struct buf url;

	buf_init(&url, LINK_MAX);
	if (api_page_url(&url, r->prefix, link) == 0)
		http_response_header(resp, "Link", "<%s>; rel=\"next\"",
		    buf_str(&url));
	buf_done(&url);
}

static void
names_free(void *arg)
{
	struct names *names = arg;

	if (names == NULL)
		return;
	store_names_free(names->items, names->n);
	free(names->head);
	free(names);
}

/* A name of the store that is no UTF-8 cannot be said in JSON. */
static int
add_name(struct names *names, struct buf *out, const char *name)
{
	json_t *value = json_string(name);
	char *text;
	int result;

	if (value == NULL)
		return 0;
	text = json_dumps(value, JSON_ENCODE_ANY);
	json_decref(value);
	if (text == NULL)
		return -1;
	result = buf_addf(out, "%s%s", names->written ? "," : "", text);
	free(text);
	names->written = true;
	return result;
}

static int
names_produce(struct http_exchange *exchange, struct buf *out, void *arg)
{
	struct names *names = arg;
	size_t start = out->len;

	(void)exchange;
	if (names->head != NULL) {
		(void)buf_addf(out, "%s[", names->head);
		free(names->head);
		names->head = NULL;
	}
	while (names->next < names->n && out->len - start < PIECE)
		if (add_name(names, out, names->items[names->next++]) == -1)
			return -1;
	if (names->next < names->n)
		return buf_failed(out) ? -1 : 1;
	(void)buf_addstr(out, "]}\n");
	return buf_failed(out) ? -1 : 0;
}

static bool
is_small(char **items, size_t n)
{
	size_t i, total = 0;

	for (i = 0; i < n && total < PIECE; i++)
		total += strlen(items[i]) + 3;
	return total < PIECE;
}

void
api_page_respond(struct api_request *r, struct http_response *resp,
    const char *head, char **items, size_t n)
{
	struct names *names;

	http_response_header(resp, "Content-Type", "application/json");
	if ((names = calloc(1, sizeof(*names))) == NULL ||
	    (names->head = strdup(head)) == NULL) {
		free(names);
		store_names_free(items, n);
		http_response_done(resp);
		(void)api_fail(r, API_UNAVAILABLE);
		return;
	}
	names->items = items;
	names->n = n;
	r->state = names;
	r->state_free = names_free;
	if (!is_small(items, n)) {
		api_respond_stream(r, resp, names_produce, names);
		return;
	}
	(void)names_produce(r->exchange, &resp->body, names);
	api_respond(r, resp);
}
