/* SPDX-License-Identifier: ISC */
/*
 * A blob of a layout on its way into the store: as an upload of a client
 * would go, so that a cut at any point leaves what a push would leave.
 */
#include "import_state.h"

#include "layout.h"
#include "random.h"
#include "repo.h"
#include "upload.h"

bool
import_has_blob(struct import *im, const struct digest *d, uint64_t size)
{
	struct store_stat st;

	if (import_was_taken(im, d, IMPORT_BLOB))
		return true;
	if (repo_acquire_blob(im->store, im->repo, d,
	    im->options->renew_ms) != STORE_OK || repo_stat_blob(im->store,
	    im->repo, d, &st) != STORE_OK ||
	    (size != IMPORT_ANY_SIZE && st.size != size))
		return false;
	im->report->present++;
	import_note_taken(im, d, IMPORT_BLOB);
	return true;
}

static int
append_all(struct import *im, struct upload *u, import_read_fn *read_some,
    void *arg)
{
	enum store_result r;
	ssize_t n;

	while ((n = read_some(im, im->buffer, IMPORT_COPY_SIZE, arg)) > 0) {
		if (import_may_write(im) == -1)
			return -1;
		r = upload_append(u, im->buffer, (size_t)n);
		if (r != STORE_OK)
			return import_fail_store(im, "writing a blob", r);
		im->report->bytes += (uint64_t)n;
		if (im->options->progress != NULL)
			im->options->progress(im->report, im->options->arg);
	}
	return n == -1 ? -1 : 0;
}

static int
finish(struct import *im, struct upload *u, const struct digest *d)
{
	char text[DIGEST_STR_SIZE];
	enum store_result r;

	r = upload_finish(u, d);
	digest_format(text, d);
	if (r == STORE_OK) {
		im->report->blobs++;
		import_note_taken(im, d, IMPORT_BLOB);
		return 0;
	}
	if (r == STORE_MISMATCH)
		return import_fail(im, "%s: the bytes in the layout are not "
		    "those of this digest", text);
	return import_fail_store(im, text, r);
}

int
import_blob(struct import *im, const struct digest *d,
    import_read_fn *read_some, void *arg)
{
	char id[UUID_SIZE];
	enum store_result r;
	struct upload *u;
	int failed;

	if (import_may_write(im) == -1)
		return -1;
	random_uuid(id);
	r = upload_start(im->store, im->repo, id, d->alg, &u);
	if (r != STORE_OK)
		return import_fail_store(im, "beginning an upload", r);
	failed = append_all(im, u, read_some, arg);
	if (failed == 0)
		failed = finish(im, u, d);
	upload_close(u);
	if (failed != 0)
		(void)upload_cancel(im->store, im->repo, id);
	return failed;
}
