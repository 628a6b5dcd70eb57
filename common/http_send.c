/* SPDX-License-Identifier: ISC */
/*
 * Output of one connection: a few pieces of memory, then a file or what a
 * producer makes.  Plain connections send from where the bytes are
 * (sendmsg, sendfile); TLS gathers them in a buffer first, which lives only
 * while something is sent.
 */
#include "http_conn.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat/sendfile.h"
#include "secret.h"

static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";

static void
add_segment(struct http_exchange *ex, const char *data, size_t len,
    bool payload)
{
	struct http_segment *seg;

	if (len == 0)
		return;
	seg = &ex->seg[ex->nseg++];
	seg->data = data;
	seg->len = len;
	seg->payload = payload;
}

/* Bytes of the segments that went out, or into the TLS buffer. */
static size_t
drop_segments(struct http_exchange *ex, size_t len)
{
	size_t n, payload = 0;

	while (len > 0) {
		n = len < ex->seg[0].len ? len : ex->seg[0].len;
		if (ex->seg[0].payload)
			payload += n;
		ex->seg[0].data += n;
		ex->seg[0].len -= n;
		len -= n;
		if (ex->seg[0].len > 0)
			break;
		ex->nseg--;
		memmove(ex->seg, ex->seg + 1, ex->nseg * sizeof(ex->seg[0]));
	}
	return payload;
}

void
http_send_begin(struct http_exchange *ex)
{
	struct http_response *r = &ex->resp;

	/* A 100 that has not begun to go out is of no use any more. */
	if (ex->conn->interim_left == sizeof(interim) - 1)
		ex->conn->interim_left = 0;
	add_segment(ex, ex->head.data, ex->head.len, false);
	buf_init(&ex->stream, HTTP_STREAM_MAX);
	if (!http_response_has_content(ex)) {
		ex->produce = NULL;
		return;
	}
	if (r->fd != -1)
		ex->file_left = r->length;
	else if (ex->produce == NULL)
		add_segment(ex, r->body.data, r->body.len, true);
}

void
http_send_continue(struct http_conn *c)
{
	c->interim_left = sizeof(interim) - 1;
}

enum http_send_result
http_send_interim(struct http_conn *c)
{
	const char *end = interim + sizeof(interim) - 1;
	ssize_t n;

	n = http_conn_write(c, end - c->interim_left, c->interim_left);
	if (n == -1)
		return errno == EAGAIN ? HTTP_SEND_WAIT : HTTP_SEND_FAILED;
	c->sent_some = true;
	c->interim_left -= (size_t)n;
	return c->interim_left == 0 ? HTTP_SEND_DONE : HTTP_SEND_WAIT;
}

/*
 * Let the producer fill the stream, once what it made before is gone; its
 * first bytes go out together with the head.
 */
static enum http_send_result
produce(struct http_exchange *ex)
{
	struct buf *b = &ex->stream;
	int r;

	buf_reset(b);
	r = ex->produce(ex, b, ex->produce_arg);
	if (r == -1 || buf_failed(b) || ex->conn->abort)
		return HTTP_SEND_FAILED;
	ex->produced_all = r == 0;
	if (!ex->chunked) {
		add_segment(ex, b->data, b->len, true);
	} else if (b->len > 0) {
		r = snprintf(ex->chunk_head, sizeof(ex->chunk_head),
		    "%zx\r\n", b->len);
		add_segment(ex, ex->chunk_head, (size_t)r, false);
		add_segment(ex, b->data, b->len, true);
		add_segment(ex, "\r\n0\r\n\r\n", ex->produced_all ? 7 : 2,
		    false);
	} else if (ex->produced_all)
		add_segment(ex, "0\r\n\r\n", 5, false);
	if (ex->nseg == 0 && !ex->produced_all)
		return HTTP_SEND_TURN_OVER;
	return HTTP_SEND_DONE;
}

static bool
must_produce(const struct http_exchange *ex)
{
	return ex->produce != NULL && !ex->produced_all &&
	    (ex->nseg == 0 || (ex->nseg == 1 && ex->stream.len == 0 &&
	    ex->seg[0].data == ex->head.data));
}

static ssize_t
send_segments(struct http_conn *c)
{
	struct http_exchange *ex = c->ex;
	struct iovec iov[4];
	struct msghdr msg;
	char *p;
	size_t i;
	ssize_t n;
	int flags = compat_msg_nosignal;

	memset(&msg, 0, sizeof(msg));
	for (i = 0; i < ex->nseg; i++) {
		memcpy(&p, &ex->seg[i].data, sizeof(p));
		iov[i].iov_base = p;
		iov[i].iov_len = ex->seg[i].len;
	}
	msg.msg_iov = iov;
	msg.msg_iovlen = ex->nseg;
	if (ex->file_left > 0)
		flags |= compat_msg_more;
	if ((n = sendmsg(c->fd, &msg, flags)) > 0)
		ex->sent += drop_segments(ex, (size_t)n);
	return n;
}

static ssize_t
send_file(struct http_conn *c, size_t most)
{
	struct http_exchange *ex = c->ex;
	ssize_t n;

	if (ex->file_left < most)
		most = (size_t)ex->file_left;
	n = compat_sendfile(c->fd, ex->resp.fd, ex->resp.offset, most);
	if (n == 0)
		errno = EIO;		/* the file is shorter than it was */
	if (n <= 0) {
		/* No socket fails like that. */
		if (errno == EIO)
			ex->file_error = errno;
		return -1;
	}
	ex->resp.offset += (uint64_t)n;
	ex->file_left -= (uint64_t)n;
	ex->sent += (uint64_t)n;
	return n;
}

static enum http_send_result
run_plain(struct http_conn *c)
{
	struct http_exchange *ex = c->ex;
	enum http_send_result r;
	size_t budget = HTTP_SEND_TURN;
	ssize_t n;

	while (budget > 0) {
		if (must_produce(ex) && (r = produce(ex)) != HTTP_SEND_DONE)
			return r;
		if (ex->nseg > 0)
			n = send_segments(c);
		else if (ex->file_left > 0)
			n = send_file(c, budget);
		else
			return HTTP_SEND_DONE;
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return errno == EAGAIN || errno == EWOULDBLOCK ?
			    HTTP_SEND_WAIT : HTTP_SEND_FAILED;
		c->sent_some = true;
		budget -= (size_t)n < budget ? (size_t)n : budget;
	}
	return HTTP_SEND_TURN_OVER;
}

static void
gather_segments(struct http_conn *c)
{
	struct http_exchange *ex = c->ex;
	size_t n, room;

	while (ex->nseg > 0 && c->tls_out.len < HTTP_TLS_SIZE) {
		room = HTTP_TLS_SIZE - c->tls_out.len;
		n = ex->seg[0].len < room ? ex->seg[0].len : room;
		memcpy(c->tls_out.data + c->tls_out.len, ex->seg[0].data, n);
		c->tls_out.len += n;
		c->tls_out.payload += drop_segments(ex, n);
	}
}

static int
gather_file(struct http_conn *c)
{
	struct http_exchange *ex = c->ex;
	size_t room = HTTP_TLS_SIZE - c->tls_out.len;
	ssize_t n;

	if (ex->file_left < room)
		room = (size_t)ex->file_left;
	if (room == 0)
		return 0;
	n = pread(ex->resp.fd, c->tls_out.data + c->tls_out.len, room,
	    (off_t)ex->resp.offset);
	if (n <= 0) {
		ex->file_error = n == 0 ? EIO : errno;
		return -1;
	}
	ex->resp.offset += (uint64_t)n;
	ex->file_left -= (uint64_t)n;
	c->tls_out.len += (size_t)n;
	c->tls_out.payload += (size_t)n;
	return 0;
}

/* Fill the TLS buffer; it stays empty when there is nothing left. */
static enum http_send_result
gather(struct http_conn *c)
{
	struct http_exchange *ex = c->ex;
	enum http_send_result r;

	if (c->tls_out.data == NULL &&
	    (c->tls_out.data = malloc(HTTP_TLS_SIZE)) == NULL)
		return HTTP_SEND_FAILED;
	c->tls_out.off = c->tls_out.len = c->tls_out.payload = 0;
	if (must_produce(ex) && (r = produce(ex)) != HTTP_SEND_DONE)
		return r;
	gather_segments(c);
	if (ex->nseg == 0 && gather_file(c) == -1)
		return HTTP_SEND_FAILED;
	return HTTP_SEND_DONE;
}

static enum http_send_result
run_tls(struct http_conn *c)
{
	struct http_exchange *ex = c->ex;
	enum http_send_result r;
	size_t budget = HTTP_SEND_TURN / 4;
	ssize_t n;

	while (budget > 0) {
		if (c->tls_out.off == c->tls_out.len) {
			if ((r = gather(c)) != HTTP_SEND_DONE)
				return r;
			if (c->tls_out.len == 0)
				return HTTP_SEND_DONE;
		}
		n = http_conn_write(c, c->tls_out.data + c->tls_out.off,
		    c->tls_out.len - c->tls_out.off);
		if (n == -1)
			return errno == EAGAIN ? HTTP_SEND_WAIT :
			    HTTP_SEND_FAILED;
		c->sent_some = true;
		c->tls_out.off += (size_t)n;
		if (c->tls_out.off == c->tls_out.len)
			ex->sent += c->tls_out.payload;
		budget -= (size_t)n < budget ? (size_t)n : budget;
	}
	return HTTP_SEND_TURN_OVER;
}

enum http_send_result
http_send_run(struct http_conn *c)
{
	return c->tls != NULL ? run_tls(c) : run_plain(c);
}

void
http_send_done(struct http_conn *c)
{
	if (c->ex != NULL && c->ex->resp.secret &&
	    c->tls_out.data != NULL)
		secret_wipe(c->tls_out.data, HTTP_TLS_SIZE);
	free(c->tls_out.data);
	memset(&c->tls_out, 0, sizeof(c->tls_out));
	c->interim_left = 0;
}
