/* SPDX-License-Identifier: ISC */
/*
 * authctl test: tries the cases beneath "expect:", with the very functions
 * that the broker decides with.
 */
#include "authctl.h"

#include <err.h>
#include <stdio.h>

#include "buf.h"

#include "acl.h"
#include "conf.h"

#define MAX_TEXT	16384

static int
test_all(const struct authd_conf *conf, const struct acl *acl)
{
	struct buf	 text;
	size_t		 i, failed = 0;
	bool		 ok;

	for (i = 0; i < conf->nexpects; i++) {
		buf_init(&text, MAX_TEXT);
		ok = conf_expect_try(conf, acl, &conf->expects[i], &text);
		printf("%s %s:%u: %s\n", ok ? "ok" : "FAIL", conf->name,
		    conf->expects[i].line, buf_str(&text));
		buf_done(&text);
		failed += !ok;
	}
	printf("%zu passed, %zu failed\n", conf->nexpects - failed, failed);
	return failed == 0 ? 0 : 1;
}

int
authctl_test(const char *path, int argc, char **argv)
{
	struct authd_conf	*conf;
	struct acl		*acl;
	char			 error[256];
	int			 status = 1;

	path = authctl_only_conf(path, argc, argv);
	if ((conf = conf_load(path, stderr)) == NULL)
		return 1;
	if (conf_htgroup_load(conf, false, NULL, stderr) == -1)
		acl = NULL;
	else if ((acl = conf_acl(conf, error, sizeof(error))) == NULL)
		warnx("%s", error);
	if (acl != NULL)
		status = test_all(conf, acl);
	acl_free(acl);
	conf_free(conf);
	return status;
}
