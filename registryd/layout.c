/* SPDX-License-Identifier: ISC */
/*
 * Paths of the store, built from parts that have passed reference.h.  Runs
 * in every process; the only file that knows how a path is put together.
 */
#include "layout.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

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

char *
layout_upload(char *dst, const char *repo, const char *id)
{
	return layout_path(dst, LAYOUT_REPOSITORIES "/%s/_uploads/%s", repo,
	    id);
}

char *
layout_upload_data(char *dst, const char *repo, const char *id)
{
	return layout_path(dst, LAYOUT_REPOSITORIES "/%s/_uploads/%s/data",
	    repo, id);
}

char *
layout_upload_startedat(char *dst, const char *repo, const char *id)
{
	return layout_path(dst, LAYOUT_REPOSITORIES
	    "/%s/_uploads/%s/startedat", repo, id);
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
