/* SPDX-License-Identifier: ISC */
/*
 * Every message of registryd, its direction and its fields.  The shared ones
 * (configuration, peers, drain) are in proc.h.
 *
 * Worker and keeper: the worker chooses the id of a request, the keeper
 * echoes it in its one KEEPER_REPLY.  A request with a body carries the read
 * end of a pipe; when the body has been written to it, the worker sends
 * KEEPER_BODY_END with the same id and the number of bytes, or
 * KEEPER_BODY_ABORT: end of file alone means nothing.  The keeper may reply
 * before the end of a body, on failure; the worker then stops sending.
 */
#ifndef MESSAGES_H
#define MESSAGES_H

#include "proc.h"

enum role {
	ROLE_WORKER = 1,
	ROLE_KEEPER,
	ROLE_COLLECTOR,
	ROLE_VERIFIER,			/* with auth.htpasswd only */
	ROLE_MONITOR			/* with http.debug.prometheus only */
};
#define ROLE_MAX	ROLE_MONITOR

enum {
	/* parent -> all: one key of the configuration: index u32, value str */
	MSG_CONF_VALUE = MSG_FIRST,
	/* parent -> worker, keeper, collector: root path str, fd */
	MSG_CONF_STORE,
	/* parent -> worker, monitor: name str, fd of a listening socket */
	MSG_CONF_LISTENER,
	/* parent -> worker, verifier: kind u32 (enum conf_file), fd of the
	   file; to a verifier again, and then CONF_END, when it changed */
	MSG_CONF_FILE,
	/* parent -> worker: 80 bytes */
	MSG_CONF_TICKET_KEY,
	/* parent -> collector: fd of the control socket, if there is one, or
	   later, when it has become free */
	MSG_CONF_CONTROL,
	/* parent -> collector: the counts of restarts.h, at first and when
	   they have changed */
	MSG_RESTARTS,

	/* worker -> keeper; "str repo" first in each */
	KEEPER_UPLOAD_START = 64,	/* id str, alg u8 */
	KEEPER_UPLOAD_APPEND,		/* id str, offset u64 or KEEPER_ANY,
					   length u64 or KEEPER_ANY, pipe */
	KEEPER_UPLOAD_FINISH,		/* id str, create bool, offset u64,
					   length u64, digest str, pipe */
	KEEPER_UPLOAD_CANCEL,		/* id str */
	KEEPER_BLOB_MOUNT,		/* from str, digest str */
	KEEPER_BLOB_DELETE,		/* digest str */
	KEEPER_MANIFEST_PUT,		/* digest str, mediatype str, subject
					   str or "", artifact type str,
					   ntags u32, ntags * str, nblobs u32,
					   nchildren u32, length u64, pipe:
					   (nblobs + nchildren) digests of
					   DIGEST_WIRE_SIZE, then the bytes */
	KEEPER_MANIFEST_DELETE,		/* digest str */
	KEEPER_TAG_DELETE,		/* tag str */
	KEEPER_LEASE,			/* digest str, kind u8 (enum
					   keeper_lease_kind); READONLY: the
					   file system is, and nothing of it
					   can be removed */
	KEEPER_BODY_END,		/* no repo: total u64 */
	KEEPER_BODY_ABORT,		/* no repo: - */

	/* keeper -> worker: result u32, offset u64 (uploads: bytes that are
	   there now), ndigests u32 (missing ones, at most 64), * str.  None
	   for a body that was aborted */
	KEEPER_REPLY,
	/* keeper -> worker: still at work on this request; no fields */
	KEEPER_PROGRESS,

	/* worker -> verifier: user str, password bytes, peer address str */
	VERIFIER_CHECK = 96,
	/* verifier -> worker: the fields of cred_answer_put() */
	VERIFIER_VERDICT,
	/* verifier -> worker: its users changed; forget older verdicts */
	VERIFIER_CHANGED,

	/* worker, collector -> monitor: all its values u64, in the order of
	   metrics.h, when some have changed */
	METRICS_WORKER = 112,
	METRICS_COLLECTOR
};

enum keeper_lease_kind { KEEPER_LEASE_BLOB, KEEPER_LEASE_MANIFEST };

#define KEEPER_ANY		UINT64_MAX
/* algorithm u8, then DIGEST_MAX_BYTES bytes, the rest of them zero */
#define DIGEST_WIRE_SIZE	(1 + 64)
#define KEEPER_MAX_MISSING	64
#define KEEPER_MAX_REFS		8192	/* of one manifest */
#define KEEPER_MAX_TAGS		100	/* what limits.tags_per_put allows */
#define KEEPER_MAX_BODIES	512	/* of one worker at a time */
#define KEEPER_MAX_REQUESTS	1024	/* without a body, at a time */

enum conf_file {
	CONF_FILE_TLS_CERTIFICATE,
	CONF_FILE_TLS_KEY,
	CONF_FILE_TLS_CLIENTCA,		/* may come several times */
	CONF_FILE_TOKEN_ROOTS,		/* auth.token.rootcertbundle */
	CONF_FILE_TOKEN_JWKS,		/* auth.token.jwks */
	CONF_FILE_HTPASSWD		/* to verifiers only */
};

#endif
