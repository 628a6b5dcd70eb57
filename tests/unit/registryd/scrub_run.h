/* SPDX-License-Identifier: ISC */
/*
 * One whole scrub, for tests; behind store_tmp.h.
 */
#ifndef SCRUB_RUN_H
#define SCRUB_RUN_H

#include "scrub.h"

static inline struct scrub_report
scrub_run(struct store *s, const struct scrub_options *options)
{
	struct scrub *scrub = scrub_new(s, options);
	struct scrub_report report;
	bool done = false;

	assert_non_null(scrub);
	while (!done)
		assert_int_equal(scrub_step(scrub, 1000000, &done), STORE_OK);
	report = *scrub_report(scrub);
	scrub_free(scrub);
	return report;
}

#endif
