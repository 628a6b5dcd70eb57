/* SPDX-License-Identifier: ISC */
/*
 * Paths of the store, built from parts that have passed reference.h.  Runs
 * in every process; the only file that knows how a path is put together.
 */
#include "layout.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * The longest repository, tag and digest fit with room to spare, so a path
 * that does not is a mistake of ours.
 */
static char *
layout_path(char *dst, const char *fmt, ...)
    __attribute__((__format__(printf, 2, 3)));

static char *
layout_path(char *dst, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(dst, LAYOUT_PATH_SIZE, fmt, ap);
	va_end(ap);
	assert(n > 0 && n < LAYOUT_PATH_SIZE);
	return dst;
}

/* <root>/<repo>/<what>/<alg>/<hex><end> */
static char *
layout_digest(char *dst, const char *root, const char *repo, const char *what,
    const struct digest *d, const char *end)
{
	char hex[DIGEST_HEX_SIZE];

	return layout_path(dst, "%s/%s/%s/%s/%s%s", root, repo, what,
	    digest_alg_name(d->alg), digest_hex(hex, d), end);
}

char *
layout_blob(char *dst, const struct digest *d)
{
	char hex[DIGEST_HEX_SIZE];

	digest_hex(hex, d);
	return layout_path(dst, LAYOUT_BLOBS "/%s/%.2s/%s/data",
	    digest_alg_name(d->alg), hex, hex);
}

char *
layout_repo(char *dst, const char *repo)
{
	return layout_path(dst, LAYOUT_REPOSITORIES "/%s", repo);
}

char *
layout_layers(char *dst, const char *repo)
{
	return layout_path(dst, LAYOUT_REPOSITORIES "/%s/_layers", repo);
}

char *
layout_layer(char *dst, const char *repo, const struct digest *d)
{
	return layout_digest(dst, LAYOUT_REPOSITORIES, repo, "_layers", d,
	    "/link");
}

char *
layout_manifests(char *dst, const char *repo)
{
	return layout_path(dst, LAYOUT_REPOSITORIES "/%s/_manifests", repo);
}

char *
layout_revision(char *dst, const char *repo, const struct digest *d)
{
	return layout_digest(dst, LAYOUT_REPOSITORIES, repo,
	    "_manifests/revisions", d, "/link");
}

char *
layout_tags(char *dst, const char *repo)
{
	return layout_path(dst, LAYOUT_REPOSITORIES "/%s/_manifests/tags",
	    repo);
}

char *
layout_tag(char *dst, const char *repo, const char *tag)
{
	return layout_path(dst, LAYOUT_REPOSITORIES "/%s/_manifests/tags/%s",
	    repo, tag);
}

char *
layout_tag_current(char *dst, const char *repo, const char *tag)
{
	return layout_path(dst, LAYOUT_REPOSITORIES
	    "/%s/_manifests/tags/%s/current/link", repo, tag);
}

char *
layout_tag_index(char *dst, const char *repo, const char *tag,
    const struct digest *d)
{
	char hex[DIGEST_HEX_SIZE];

	return layout_path(dst, LAYOUT_REPOSITORIES
	    "/%s/_manifests/tags/%s/index/%s/%s/link", repo, tag,
	    digest_alg_name(d->alg), digest_hex(hex, d));
}

char *
layout_uploads(char *dst, const char *repo)
{
	return layout_path(dst, LAYOUT_REPOSITORIES "/%s/_uploads", repo);
}

/* A session, or with a "/name" what is in it. */
static char *
session_path(char *dst, const char *repo, const char *id, const char *end)
{
	return layout_path(dst, LAYOUT_REPOSITORIES "/%s/_uploads/%s%s", repo,
	    id, end);
}

char *
layout_upload(char *dst, const char *repo, const char *id)
{
	return session_path(dst, repo, id, "");
}

char *
layout_upload_data(char *dst, const char *repo, const char *id)
{
	return session_path(dst, repo, id, "/data");
}

char *
layout_upload_startedat(char *dst, const char *repo, const char *id)
{
	return session_path(dst, repo, id, "/startedat");
}

char *
layout_upload_synced(char *dst, const char *repo, const char *id)
{
	return session_path(dst, repo, id, "/synced");
}

char *
layout_upload_hashes(char *dst, const char *repo, const char *id)
{
	return session_path(dst, repo, id, "/hashstates");
}

char *
layout_referrers(char *dst, const char *repo, const struct digest *d)
{
	return layout_digest(dst, LAYOUT_OWN_REPOSITORIES, repo, "_referrers",
	    d, "");
}

char *
layout_referrer(char *dst, const char *repo, const struct digest *subject,
    const struct digest *referrer)
{
	char end[DIGEST_STR_SIZE + 1];

	end[0] = '/';
	digest_format(end + 1, referrer);
	return layout_digest(dst, LAYOUT_OWN_REPOSITORIES, repo, "_referrers",
	    subject, end);
}

char *
layout_mediatype(char *dst, const char *repo, const struct digest *d)
{
	return layout_digest(dst, LAYOUT_OWN_REPOSITORIES, repo, "_mediatypes",
	    d, "");
}

char *
layout_subject(char *dst, const char *repo, const struct digest *d)
{
	return layout_digest(dst, LAYOUT_OWN_REPOSITORIES, repo, "_subjects",
	    d, "");
}

/* ---- names of collection ---- */

#define NUMBER_DIGITS	16

char *
layout_condemned(char *dst, const char *path, uint64_t run, uint64_t nonce)
{
	return layout_path(dst, "%s" LAYOUT_CONDEMNED "%016" PRIx64
	    ".%016" PRIx64, path, run, nonce);
}

char *
layout_pending(char *dst, const char *repo, const struct digest *d,
    uint64_t nonce)
{
	char hex[DIGEST_HEX_SIZE];

	return layout_path(dst, LAYOUT_REPOSITORIES
	    "/%s/_manifests/revisions/%s/%s/link" LAYOUT_PENDING
	    "%016" PRIx64, repo, digest_alg_name(d->alg), digest_hex(hex, d),
	    nonce);
}

/* Exactly 16 lower-case digits. */
static bool
number_parse(const char *text, uint64_t *value)
{
	static const char digits[] = "0123456789abcdef";
	const char *digit;
	uint64_t v = 0;
	int i;

	for (i = 0; i < NUMBER_DIGITS; i++) {
		if (text[i] == '\0' ||
		    (digit = strchr(digits, text[i])) == NULL)
			return false;
		v = v << 4 | (uint64_t)(digit - digits);
	}
	*value = v;
	return true;
}

bool
layout_condemned_parse(const char *name, size_t *baselen, uint64_t *run)
{
	static const size_t endlen = sizeof(LAYOUT_CONDEMNED) - 1 +
	    2 * NUMBER_DIGITS + 1;
	size_t len = strlen(name);
	const char *end;
	uint64_t nonce;

	if (len <= endlen)
		return false;
	end = name + len - endlen;
	if (strncmp(end, LAYOUT_CONDEMNED, sizeof(LAYOUT_CONDEMNED) - 1) != 0)
		return false;
	end += sizeof(LAYOUT_CONDEMNED) - 1;
	if (!number_parse(end, run) || end[NUMBER_DIGITS] != '.' ||
	    !number_parse(end + NUMBER_DIGITS + 1, &nonce))
		return false;
	*baselen = len - endlen;
	return true;
}

bool
layout_is_pending(const char *name)
{
	static const char start[] = "link" LAYOUT_PENDING;
	uint64_t nonce;

	return strncmp(name, start, sizeof(start) - 1) == 0 &&
	    number_parse(name + sizeof(start) - 1, &nonce) &&
	    name[sizeof(start) - 1 + NUMBER_DIGITS] == '\0';
}

bool
layout_stands_for(const char *name, const char *base)
{
	size_t baselen, len = strlen(base);
	uint64_t run;

	return strcmp(name, base) == 0 ||
	    (layout_condemned_parse(name, &baselen, &run) &&
	    baselen == len && strncmp(name, base, len) == 0);
}

int
layout_join(char *dst, const char *dir, const char *name)
{
	size_t dirlen = strlen(dir), len = strlen(name);

	if (dirlen + 1 + len >= LAYOUT_PATH_SIZE)
		return -1;
	memmove(dst, dir, dirlen + 1);
	dst[dirlen] = '/';
	memcpy(dst + dirlen + 1, name, len + 1);
	return 0;
}
