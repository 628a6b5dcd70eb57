/* SPDX-License-Identifier: ISC */
/*
 * Link files in a check, and the trees of them: <alg>/<hex>/link.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fsck_state.h"
#include "layout.h"

#define LINK_MAX_SIZE	512
#define LINK_SPACE	" \t\r\n"

/* One digest's directory. */
struct place {
	struct digest	 digest;
	struct digest	 target;
	unsigned	 flags;
	bool		 pending;
	bool		 other;		/* something that is reported */
};

struct tree {
	enum digest_alg	 alg;
	fsck_link_fn	*fn;
	void		*arg;
};

static size_t
link_size(enum digest_alg alg)
{
	return strlen(digest_alg_name(alg)) + 1 + 2 * digest_alg_size(alg);
}

/* Text of a link, whose white space has been cut off. */
static int
parse_link(struct fsck *f, char *text, size_t len, struct digest *d)
{
	if (strlen(text) == len && digest_parse(d, text) == 0)
		return 0;
	if (len < link_size(DIGEST_SHA256))
		fsck_report(f, FSCK_LINK_SHORT, "%zu bytes", len);
	else
		fsck_report(f, FSCK_LINK_MALFORMED, "%zu bytes", len);
	return -1;
}

int
fsck_link(struct fsck *f, int dirfd, const char *name, struct digest *d)
{
	size_t len, start;
	struct stat st;
	char *data;
	int r;

	data = fsck_read_file(f, dirfd, name, LINK_MAX_SIZE, &st, &len);
	if (data == NULL)
		return -1;
	if (fsck_has_other_names(f, &st))
		fsck_report(f, FSCK_LINK_HARDLINK, "%u names",
		    (unsigned)st.st_nlink);
	start = strspn(data, LINK_SPACE);
	while (len > start && strchr(LINK_SPACE, data[len - 1]) != NULL &&
	    data[len - 1] != '\0')
		len--;
	if (start > 0 || data[len] != '\0')
		fsck_report(f, FSCK_LINK_SPACE, "%s", "");
	data[len] = '\0';
	r = parse_link(f, data + start, len - start, d);
	free(data);
	return r;
}

static void
take_link(struct fsck *f, int dirfd, const char *name, struct place *p,
    unsigned flag)
{
	char text[DIGEST_STR_SIZE];
	struct digest target;

	fsck_count(f);
	if (flag == FSCK_CONDEMNED)
		fsck_report(f, FSCK_LINK_CONDEMNED, "%s", "");
	if (fsck_link(f, dirfd, name, &target) == -1) {
		p->other = true;
		return;
	}
	/* distribution has the sha256 of a blob in the link of its sha512. */
	if (!digest_equal(&target, &p->digest) &&
	    (p->digest.alg != DIGEST_SHA512 || target.alg != DIGEST_SHA256))
		fsck_report(f, FSCK_LINK_ELSEWHERE, "%s",
		    digest_format(text, &target));
	if (flag == FSCK_LIVE || (p->flags & FSCK_LIVE) == 0)
		p->target = target;
	p->flags |= flag;
}

static void
on_link(struct fsck *f, int dirfd, const char *name, unsigned char type,
    void *arg)
{
	struct place *p = arg;

	if (strcmp(name, "link") == 0) {
		/* Whatever it is, it takes the name. */
		p->other = true;
		if (fsck_is(f, type, DT_REG))
			take_link(f, dirfd, name, p, FSCK_LIVE);
	} else if (fsck_is_condemned(name, "link")) {
		if (fsck_is(f, type, DT_REG))
			take_link(f, dirfd, name, p, FSCK_CONDEMNED);
	} else if (layout_is_pending(name)) {
		p->pending = true;
		fsck_report(f, FSCK_LINK_PENDING, "%s", "");
	} else if (strcmp(name, "signatures") == 0 && type == DT_DIR)
		fsck_report(f, FSCK_FOREIGN, "signatures of schema 1");
	else
		fsck_unknown_name(f, name);
}

static void
on_digest(struct fsck *f, int dirfd, const char *name, unsigned char type,
    void *arg)
{
	const unsigned both = FSCK_LIVE | FSCK_CONDEMNED;
	struct place p = { .flags = 0 };
	const struct tree *tree = arg;
	char text[DIGEST_STR_SIZE];
	int n;

	n = snprintf(text, sizeof(text), "%s:%s", digest_alg_name(tree->alg),
	    name);
	if (n < 0 || (size_t)n >= sizeof(text) ||
	    digest_parse(&p.digest, text) == -1) {
		fsck_report(f, FSCK_LINK_NAME, "%s", "");
		return;
	}
	if (!fsck_is(f, type, DT_DIR) ||
	    fsck_directory(f, dirfd, name, on_link, &p) != 0)
		return;
	if ((p.flags & both) == both)
		fsck_report(f, FSCK_LINK_CONDEMNED_LIVE, "%s", "");
	if (p.flags != 0)
		tree->fn(f, &p.digest, &p.target, p.flags, tree->arg);
	else if (!p.other && !p.pending)
		fsck_report(f, FSCK_LINK_ABSENT, "%s", "");
}

static void
on_alg(struct fsck *f, int dirfd, const char *name, unsigned char type,
    void *arg)
{
	struct tree *tree = arg;

	if (digest_alg_parse(&tree->alg, name) == -1)
		fsck_unknown_name(f, name);
	else if (fsck_is(f, type, DT_DIR))
		fsck_directory(f, dirfd, name, on_digest, tree);
}

void
fsck_link_tree(struct fsck *f, int dirfd, const char *name, fsck_link_fn *fn,
    void *arg)
{
	struct tree tree = { DIGEST_SHA256, fn, arg };

	fsck_directory(f, dirfd, name, on_alg, &tree);
}
