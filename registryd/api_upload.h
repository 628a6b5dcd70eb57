/* SPDX-License-Identifier: ISC */
/*
 * What the handlers of uploads share: the state of one request to a session,
 * its body on the way to a keeper, and its answers.
 */
#ifndef API_UPLOAD_H
#define API_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "api.h"
#include "digest.h"
#include "reference.h"

struct api_upload {			/* state of an api_request */
	char		 id[UPLOAD_ID_SIZE];
	bool		 finishing;	/* or appending */
	struct digest	 digest;	/* of the whole blob, when finishing */
	uint64_t	 first;		/* from Content-Range; or KEEPER_ANY */
	uint64_t	 length;	/* announced; or KEEPER_ANY */
	uint64_t	 limit;		/* bytes that the body may have */
	uint64_t	 received;
	bool		 complete;	/* all of the body was handed on */
};

/* The request's state; NULL: out of memory. */
struct api_upload *api_upload_new(struct api_request *);
/*
 * Content-Range, lengths and the configured maximum against the "offset"
 * that the session has now.  false: refused, and answered.
 */
bool		 api_upload_announced(struct api_request *, uint64_t offset);
/* Send the body to the call that was just started (or end it). */
enum step	 api_upload_stream(struct api_request *);
/* The room callback of such a call. */
keeper_room_fn	 api_upload_on_room;

/* 202 or 204: where the session is and what it has. */
void		 api_upload_respond(struct api_request *, int status,
		    uint64_t offset);
/* 416 with the same. */
enum step	 api_upload_out_of_order(struct api_request *,
		    uint64_t offset);
/* 201: the blob is there. */
void		 api_upload_created(struct api_request *,
		    const struct digest *);
/* A keeper's result that is no success. */
void		 api_upload_failed(struct api_request *,
		    const struct keeper_reply *, const char *what);

#endif
