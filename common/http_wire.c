/* SPDX-License-Identifier: ISC */
/*
 * llhttp behind our own grammar.  Heads are checked by http_strict before
 * llhttp sees them; of chunked bodies llhttp finds the data and http_strict
 * checks what lies between.  Where the two disagree the message is refused,
 * so neither the leniencies of one build of llhttp nor a mistake of ours
 * moves the border of a message.
 */
#include "http_wire.h"

#include <llhttp.h>
#include <stdlib.h>
#include <string.h>

struct http_wire {
	struct http_strict	 strict;
	struct http_wire_head	 head;
	llhttp_t		 parser;
	const char		*body;		/* of this call */
	size_t			 body_len;
	uint64_t		 chunk;		/* size that llhttp read */
	bool			 chunk_begun;
	bool			 headers_complete;
	bool			 complete;
};

static struct http_wire *
wire_of(llhttp_t *parser)
{
	return parser->data;
}

static int
on_text(llhttp_t *parser, const char *at, size_t len)
{
	struct http_wire *w = wire_of(parser);

	/* Trailers are checked, counted, and dropped. */
	if (w->headers_complete)
		return 0;
	return buf_add(&w->head.text, at, len) == 0 ? 0 : HPE_USER;
}

static int
on_text_end(llhttp_t *parser)
{
	struct http_wire *w = wire_of(parser);

	if (w->headers_complete)
		return 0;
	return buf_addc(&w->head.text, '\0') == 0 ? 0 : HPE_USER;
}

static int
on_name_end(llhttp_t *parser)
{
	struct http_wire *w = wire_of(parser);

	if (w->headers_complete)
		return 0;
	if (on_text_end(parser) != 0)
		return HPE_USER;
	w->head.fields[w->head.nfields].value = w->head.text.len;
	return 0;
}

static int
on_value_end(llhttp_t *parser)
{
	struct http_wire *w = wire_of(parser);
	struct http_wire_head *head = &w->head;
	struct http_wire_field *grown;
	size_t n;

	if (w->headers_complete)
		return 0;
	if (on_text_end(parser) != 0)
		return HPE_USER;
	if (++head->nfields == head->capacity) {
		n = head->capacity * 2;
		grown = realloc(head->fields, n * sizeof(*grown));
		if (grown == NULL)
			return HPE_USER;
		head->fields = grown;
		head->capacity = n;
	}
	head->fields[head->nfields].name = head->text.len;
	return 0;
}

/* The first header's name begins where the target ends. */
static int
on_target_end(llhttp_t *parser)
{
	struct http_wire *w = wire_of(parser);

	if (on_text_end(parser) != 0)
		return HPE_USER;
	w->head.fields[0].name = w->head.text.len;
	return 0;
}

static int
on_headers_complete(llhttp_t *parser)
{
	struct http_wire *w = wire_of(parser);

	w->headers_complete = true;
	w->head.method = llhttp_method_name(parser->method);
	w->head.major = parser->http_major;
	w->head.minor = parser->http_minor;
	w->head.keep_alive = llhttp_should_keep_alive(parser) != 0;
	/* We never switch protocols: the bytes behind are the next message. */
	parser->upgrade = 0;
	return 0;
}

static int
on_chunk_header(llhttp_t *parser)
{
	struct http_wire *w = wire_of(parser);

	w->chunk = parser->content_length;
	w->chunk_begun = true;
	return 0;
}

/* Stop behind each piece, so that it is the last thing of its call. */
static int
on_body(llhttp_t *parser, const char *at, size_t len)
{
	struct http_wire *w = wire_of(parser);

	w->body = at;
	w->body_len = len;
	return HPE_PAUSED;
}

static int
on_message_complete(llhttp_t *parser)
{
	wire_of(parser)->complete = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
	.on_url = on_text,
	.on_url_complete = on_target_end,
	.on_header_field = on_text,
	.on_header_field_complete = on_name_end,
	.on_header_value = on_text,
	.on_header_value_complete = on_value_end,
	.on_headers_complete = on_headers_complete,
	.on_chunk_header = on_chunk_header,
	.on_body = on_body,
	.on_message_complete = on_message_complete,
};

struct http_wire *
http_wire_new(const struct http_strict_limits *limits)
{
	struct http_wire *w;

	if ((w = calloc(1, sizeof(*w))) == NULL)
		return NULL;
	http_strict_init(&w->strict, limits);
	http_wire_reset(w);
	return w;
}

static void
head_done(struct http_wire_head *head)
{
	buf_wipe(&head->text);
	free(head->fields);
	memset(head, 0, sizeof(*head));
}

void
http_wire_reset(struct http_wire *w)
{
	const struct http_strict_limits *limits = w->strict.limits;

	head_done(&w->head);
	/* Each name and value costs one NUL; each takes a ':' or CR, too. */
	buf_init(&w->head.text, limits->head + 1);
	http_strict_init(&w->strict, limits);
	llhttp_init(&w->parser, HTTP_REQUEST, &settings);
	w->parser.data = w;
	w->headers_complete = w->complete = w->chunk_begun = false;
}

void
http_wire_free(struct http_wire *w)
{
	if (w == NULL)
		return;
	head_done(&w->head);
	free(w);
}

struct http_wire_head *
http_wire_parts(struct http_wire *w)
{
	return &w->head;
}

bool
http_wire_is_head(const struct http_wire *w)
{
	return w->parser.method == HTTP_HEAD;
}

static int
head_error(struct http_wire *w, enum llhttp_errno err)
{
	if (err == HPE_INVALID_METHOD)
		return 501;
	if (err == HPE_INVALID_VERSION)
		return 505;
	if (err == HPE_USER)
		return buf_failed(&w->head.text) ? 431 : 503;
	return 400;
}

int
http_wire_head(struct http_wire *w, const char *data, size_t len, size_t *used)
{
	struct http_wire_head *head = &w->head;
	enum llhttp_errno err;

	*used = 0;
	if (head->fields == NULL) {
		head->capacity = 16;
		head->fields = calloc(head->capacity, sizeof(*head->fields));
		if (head->fields == NULL)
			return 503;
	}
	*used = http_strict_head(&w->strict, data, len);
	err = llhttp_execute(&w->parser, data, *used);
	if (err == HPE_PAUSED && w->complete) {
		llhttp_resume(&w->parser);
		err = HPE_OK;
	}
	if (err != HPE_OK)
		return head_error(w, err);
	if (w->strict.status != 0)
		return w->strict.status;
	if (w->headers_complete != http_strict_ended(&w->strict))
		return 400;
	return w->headers_complete ? 200 : 0;
}

void
http_wire_chunked(struct http_wire *w)
{
	http_strict_chunked(&w->strict);
}

int
http_wire_body(struct http_wire *w, const char *data, size_t len,
    size_t *skip, size_t *body)
{
	enum llhttp_errno err;
	size_t used = len;

	w->body_len = 0;
	err = llhttp_execute(&w->parser, data, len);
	if (err == HPE_PAUSED) {
		used = (size_t)(llhttp_get_error_pos(&w->parser) - data);
		llhttp_resume(&w->parser);
	} else if (err != HPE_OK)
		return -1;
	if (used > len || w->body_len > used)
		return -1;
	*body = w->body_len;
	*skip = used - w->body_len;
	if (w->body_len > 0 && w->body != data + *skip)
		return -1;
	if (http_strict_framing(&w->strict, data, *skip) == -1)
		return -1;
	/* llhttp 8.1 takes "2;a=b;5" for a size of 0x25. */
	if (w->chunk_begun && w->chunk != w->strict.chunk)
		return -1;
	w->chunk_begun = false;
	if (*body > 0 && http_strict_data(&w->strict, *body) == -1)
		return -1;
	return w->complete == http_strict_ended(&w->strict) ? 0 : -1;
}

bool
http_wire_ended(const struct http_wire *w)
{
	return w->complete;
}
