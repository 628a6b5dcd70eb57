/* SPDX-License-Identifier: ISC */
/*
 * The control socket of a daemon: its command line tool asks, one process of
 * the daemon answers.  A Unix stream socket, mode 0600; whoever connects must
 * be root or the user of the process that serves it.
 *
 * One JSON object on each line.  A request is {"command": "name", ...}; the
 * answers are any number of {"progress": {...}} and then one of
 * {"result": {...}} and {"error": "text"}.  One request at a time on a
 * connection; what is sent meanwhile waits.  A client that closes its end
 * has gone, and takes its request along.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <sys/types.h>

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "loop.h"

#define CONTROL_REQUEST_MAX	65536		/* bytes of a line */
#define CONTROL_ANSWER_MAX	(4u << 20)	/* the same, answers */
#define CONTROL_COMMAND_MAX	64		/* bytes of a name */
#define CONTROL_CLIENTS_MAX	16
#define CONTROL_IDLE_MS		60000		/* of a client that is slow */
#define CONTROL_ERROR_SIZE	512
/* Progress is left out for a client that has not read this much. */
#define CONTROL_QUEUE_MAX	65536

/* ---- the socket: parents ---- */

/*
 * Listen at "path", with its directories, as the user given (-1: as we are),
 * so that nothing is done in a user's directory with more rights than his.
 * A descriptor, or -1 with a reason in "error".
 */
int	 control_listen(const char *path, uid_t, gid_t, char *error,
	    size_t errsize);

/* ---- serving ---- */

struct control;
struct control_call;			/* a request and who asks */

/*
 * Answer at once or later, with exactly one control_result() or
 * control_error(); "call" is good until then, whether or not the client is
 * still there.  The request is borrowed: json_incref() what stays.
 */
typedef void control_request_fn(struct control_call *, const char *command,
	    json_t *request, void *arg);
typedef void control_gone_fn(struct control_call *, void *arg);

/* Takes ownership of fd, on failure too.  NULL: errno. */
struct control	*control_new(struct loop *, int fd, control_request_fn *,
		    void *arg);
/* Ends every call without an answer, and without control_gone_fn. */
void		 control_free(struct control *);	/* NULL is fine */

/*
 * fn is called, from the event loop, when the client has gone before its
 * answer; that still has to be given.
 */
void		 control_on_gone(struct control_call *, control_gone_fn *,
		    void *arg);
uid_t		 control_uid(const struct control_call *);
/* These take ownership of the object; NULL stands for one without memory. */
void		 control_progress(struct control_call *, json_t *);
void		 control_result(struct control_call *, json_t *);
/* A text of at most CONTROL_ERROR_SIZE - 1 bytes. */
void		 control_error(struct control_call *, const char *fmt, ...)
		    __attribute__((__format__(printf, 2, 3)));

/*
 * The object of one line, newline not included, or NULL with a reason: what
 * the server does with each line; for the fuzzer.
 */
json_t		*control_parse(const char *line, size_t len, char *error,
		    size_t errsize);

/* ---- asking: the tools; these block ---- */

struct control_client;
typedef void control_progress_fn(const json_t *, void *arg);

enum control_status {
	CONTROL_OK,
	CONTROL_REFUSED,		/* the daemon answered with an error */
	CONTROL_LOST,			/* no answer, or one without sense */
	CONTROL_SILENT			/* none in time, nor progress */
};

/*
 * NULL with errno: ENOENT and ECONNREFUSED when nobody listens there, EAGAIN
 * when he who does has not taken a client for timeout_ms (0: for ever).
 */
struct control_client *control_connect(const char *path, unsigned timeout_ms);
/*
 * Ask and wait.  Takes ownership of the request.  CONTROL_OK: *result is the
 * caller's; else the reason is in "error".  progress may be NULL.  A daemon
 * that is silent for timeout_ms (0: for ever) is CONTROL_SILENT.
 */
enum control_status control_call(struct control_client *, json_t *request,
		    unsigned timeout_ms, control_progress_fn *progress,
		    void *arg, json_t **result, char *error, size_t errsize);
/* NULL is fine. */
void		 control_close(struct control_client *);

#endif
