/* SPDX-License-Identifier: ISC */
/*
 * authctl lint: names access rules that can never decide anything.
 */
#include "authctl.h"

#include <err.h>
#include <stdio.h>

#include "buf.h"

#include "acl.h"
#include "acl_lint.h"
#include "conf.h"

#define MAX_TEXT	16384

static int
lint_all(const struct authd_conf *conf, const struct acl *acl)
{
	struct buf	 text;
	size_t		 i;
	int		 by, status = 0;

	for (i = 0; i < acl_nrules(acl); i++) {
		buf_init(&text, MAX_TEXT);
		acl_rule_format(&text, acl_rule_at(acl, i), (int)i);
		buf_addstr(&text, "\n    can never match: ");
		if (acl_lint(conf, acl, i, &text, &by)) {
			printf("%s:%u: %s\n", conf->name,
			    acl_rule_at(acl, i)->line, buf_str(&text));
			status = 1;
		}
		buf_done(&text);
	}
	return status;
}

int
authctl_lint(const char *path, int argc, char **argv)
{
	struct authd_conf	*conf;
	struct acl		*acl = NULL;
	char			 error[256];
	int			 status = 1;

	path = authctl_only_conf(path, argc, argv);
	if ((conf = conf_load(path, stderr)) == NULL)
		return 1;
	if (conf_htgroup_load(conf, false, NULL, stderr) == 0 &&
	    (acl = conf_acl(conf, error, sizeof(error))) == NULL)
		warnx("%s", error);
	if (acl != NULL)
		status = lint_all(conf, acl);
	acl_free(acl);
	conf_free(conf);
	return status;
}
