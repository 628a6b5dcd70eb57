/* SPDX-License-Identifier: ISC */
/*
 * The state machine over request line, header lines, chunk-size lines and
 * trailers.  Runs in the workers, on bytes that anybody may have sent; it
 * keeps nothing but counters, so splitting the input changes no result.
 */
#include "http_strict.h"

#include <string.h>

enum state {
	AT_START, START_LF, METHOD, TARGET, PROTOCOL, PROTOCOL_LF,
	LINE, NAME, VALUE, VALUE_LF, LAST_LF, ENDED,
	SIZE, EXTENSION, SIZE_LF, DATA, DATA_LF
};

/* A character of a token (RFC 9110 section 5.6.2). */
static bool
is_tchar(unsigned char c)
{
	if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z'))
		return true;
	return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool
is_value(unsigned char c)
{
	return c == '\t' || (c >= 0x20 && c != 0x7f);
}

static int
refuse(struct http_strict *s, int status)
{
	s->status = status;
	return -1;
}

static int
enter(struct http_strict *s, enum state state)
{
	s->state = state;
	s->count = 0;
	return 0;
}

void
http_strict_init(struct http_strict *s, const struct http_strict_limits *limits)
{
	memset(s, 0, sizeof(*s));
	s->limits = limits;
	s->state = AT_START;
}

bool
http_strict_ended(const struct http_strict *s)
{
	return s->state == ENDED;
}

void
http_strict_chunked(struct http_strict *s)
{
	enter(s, SIZE);
	s->trailer = true;
	s->total = 0;
	s->headers = 0;
	s->chunk = 0;
}

/* "HTTP/d.d" and nothing else. */
static int
step_version(struct http_strict *s, unsigned char c)
{
	static const char form[] = "HTTP/0.0";

	if (s->count == sizeof(form) - 1)
		return c == '\r' ? enter(s, PROTOCOL_LF) : refuse(s, 400);
	if (form[s->count] == '0' ? c < '0' || c > '9' :
	    c != (unsigned char)form[s->count])
		return refuse(s, 400);
	s->count++;
	return 0;
}

static int
step_request_line(struct http_strict *s, unsigned char c)
{
	switch (s->state) {
	case AT_START:
		/* RFC 9112 section 2.2: one empty line is forgiven. */
		if (c == '\r' && !s->skipped) {
			s->skipped = true;
			return enter(s, START_LF);
		}
		s->state = METHOD;
		/* FALLTHROUGH */
	case METHOD:
		if (c == ' ' && s->count > 0)
			return enter(s, TARGET);
		if (!is_tchar(c) || s->count++ == HTTP_STRICT_MAX_METHOD)
			return refuse(s, 400);
		return 0;
	case START_LF:
		return c == '\n' ? enter(s, AT_START) : refuse(s, 400);
	case TARGET:
		if (c == ' ' && s->count > 0)
			return enter(s, PROTOCOL);
		if (c <= 0x20 || c >= 0x7f || c == '#')
			return refuse(s, 400);
		return s->count++ == s->limits->target ? refuse(s, 414) : 0;
	case PROTOCOL:
		return step_version(s, c);
	default:	/* PROTOCOL_LF */
		return c == '\n' ? enter(s, LINE) : refuse(s, 400);
	}
}

static int
step_header(struct http_strict *s, unsigned char c)
{
	switch (s->state) {
	case LINE:
		if (c == '\r')
			return enter(s, LAST_LF);
		if (!is_tchar(c))
			return refuse(s, 400);
		if (s->headers++ == s->limits->headers)
			return refuse(s, s->trailer ? 400 : 431);
		return enter(s, NAME);
	case NAME:
		if (c == ':')
			return enter(s, VALUE);
		return is_tchar(c) ? 0 : refuse(s, 400);
	case VALUE:
		if (c == '\r')
			return enter(s, VALUE_LF);
		return is_value(c) ? 0 : refuse(s, 400);
	case VALUE_LF:
		return c == '\n' ? enter(s, LINE) : refuse(s, 400);
	default:	/* LAST_LF */
		return c == '\n' ? enter(s, ENDED) : refuse(s, 400);
	}
}

static int
hex_value(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int
step_size(struct http_strict *s, unsigned char c)
{
	int v;

	if ((v = hex_value(c)) != -1) {
		if (s->count++ == 16 || s->chunk > (INT64_MAX >> 4))
			return refuse(s, 400);
		s->chunk = s->chunk << 4 | (uint64_t)v;
		return 0;
	}
	if (s->count > 0 && c == ';')
		return enter(s, EXTENSION);
	if (s->count > 0 && c == '\r')
		return enter(s, SIZE_LF);
	return refuse(s, 400);
}

static int
step_chunk(struct http_strict *s, unsigned char c)
{
	switch (s->state) {
	case SIZE:
		return step_size(s, c);
	case EXTENSION:
		if (c == '\r')
			return enter(s, SIZE_LF);
		if (!is_value(c) || s->count++ == HTTP_STRICT_MAX_EXTENSION)
			return refuse(s, 400);
		return 0;
	case SIZE_LF:
		if (c != '\n')
			return refuse(s, 400);
		return enter(s, s->chunk == 0 ? LINE : DATA);
	case DATA:
		if (c != '\r' || s->chunk != 0)
			return refuse(s, 400);
		return enter(s, DATA_LF);
	default:	/* DATA_LF */
		return c == '\n' ? enter(s, SIZE) : refuse(s, 400);
	}
}

static int
step(struct http_strict *s, unsigned char c)
{
	if (s->state <= PROTOCOL_LF)
		return step_request_line(s, c);
	if (s->state <= LAST_LF)
		return step_header(s, c);
	if (s->state >= SIZE)
		return step_chunk(s, c);
	return refuse(s, 400);		/* ENDED */
}

size_t
http_strict_head(struct http_strict *s, const char *data, size_t len)
{
	size_t i;

	for (i = 0; i < len && s->state != ENDED; i++) {
		if (step(s, (unsigned char)data[i]) == -1)
			break;
		if (s->total++ == s->limits->head) {
			refuse(s, s->state == TARGET ? 414 : 431);
			break;
		}
	}
	return i;
}

int
http_strict_framing(struct http_strict *s, const char *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (step(s, (unsigned char)data[i]) == -1)
			return -1;
		if (s->state >= LINE && s->state <= LAST_LF &&
		    s->total++ == HTTP_STRICT_MAX_TRAILER)
			return refuse(s, 400);
	}
	return 0;
}

int
http_strict_data(struct http_strict *s, size_t len)
{
	if (s->state != DATA || len > s->chunk)
		return refuse(s, 400);
	s->chunk -= len;
	return 0;
}
