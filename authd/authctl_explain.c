/* SPDX-License-Identifier: ISC */
/*
 * authctl explain: which access rule decides, and what would be granted.
 * Uses the very functions that the broker decides with.
 */
#include "authctl.h"

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "scope.h"

#include "acl.h"
#include "conf.h"

#define MAX_TEXT	16384

struct explain_args {
	const char	*conf;
	const char	*service;	/* NULL: the only one */
	const char	*address;
	const char	*user;		/* "" anonymous */
};

static void
parse_args(struct explain_args *args, int argc, char **argv)
{
	int	 opt;

	while ((opt = getopt(argc, argv, "+a:f:s:")) != -1) {
		switch (opt) {
		case 'a':
			args->address = optarg;
			break;
		case 'f':
			args->conf = optarg;
			break;
		case 's':
			args->service = optarg;
			break;
		default:
			authctl_usage();
		}
	}
	if (argc - optind < 2)
		authctl_usage();
	args->user = strcmp(argv[optind], "-") == 0 ? "" : argv[optind];
	optind++;
}

/* The service that the token would be for; NULL and a message for none. */
static const char *
find_service(const struct authd_conf *conf, const char *asked)
{
	size_t	 i;

	if (asked == NULL && conf->services.n == 1)
		return conf->services.items[0];
	if (asked == NULL) {
		warnx("there are %zu services: -s SERVICE names one",
		    conf->services.n);
		return NULL;
	}
	for (i = 0; i < conf->services.n; i++) {
		if (strcmp(conf->services.items[i], asked) == 0)
			return asked;
	}
	warnx("%s is not one of the services of the configuration",
	    asked);
	return NULL;
}

/* Why the rules are not even asked; NULL when they are. */
static const char *
scope_wrong(const struct scope *scope)
{
	if (strcmp(scope->type, "repository") == 0)
		return scope_repository_name_ok(scope->name) ? NULL :
		    "no repository can have this name";
	if (strcmp(scope->type, "registry") != 0)
		return "the type is neither \"repository\" nor \"registry\"";
	return strcmp(scope->name, "catalog") == 0 ? NULL :
	    "the only name of type \"registry\" is \"catalog\"";
}

static void
explain(const struct acl *acl, const struct acl_subject *subject,
    const char *text)
{
	struct scope	 scope;
	struct buf	 out;
	unsigned	 granted;
	int		 rule;

	printf("%s\n", text);
	if (scope_parse(&scope, text, strlen(text)) == -1) {
		printf("    not a scope (type:name:action,...): ignored\n");
		return;
	}
	granted = acl_decide(acl, subject, &scope, &rule);
	buf_init(&out, MAX_TEXT);
	if (scope_wrong(&scope) != NULL)
		buf_addstr(&out, scope_wrong(&scope));
	else if (rule == -1)
		buf_addstr(&out, "no rule matches");
	else {
		buf_addstr(&out, "decided by ");
		acl_rule_format(&out, acl_rule_at(acl, (size_t)rule), rule);
	}
	printf("    %s\n", buf_str(&out));
	buf_reset(&out);
	scope_format(&out, scope.type, scope.name, granted);
	printf("    granted: %s\n", granted == 0 ? "nothing" : buf_str(&out));
	buf_done(&out);
}

static int
explain_all(const struct explain_args *args, const struct authd_conf *conf,
    int argc, char **argv)
{
	struct acl_subject	 subject;
	struct acl		*acl;
	char			 error[256];
	int			 i;

	memset(&subject, 0, sizeof(subject));
	subject.user = args->user;
	subject.peer = args->address;
	subject.service = find_service(conf, args->service);
	if (subject.service == NULL)
		return 1;
	acl = conf_acl(conf, error, sizeof(error));
	if (acl == NULL) {
		warnx("%s", error);
		return 1;
	}
	for (i = 0; i < argc; i++)
		explain(acl, &subject, argv[i]);
	acl_free(acl);
	return 0;
}

int
authctl_explain(const char *path, int argc, char **argv)
{
	/* No address is in no network. */
	struct explain_args	 args = { .conf = path, .address = "" };
	struct authd_conf	*conf;
	int			 status;

	parse_args(&args, argc, argv);
	conf = conf_load(args.conf, stderr);
	if (conf == NULL)
		return 1;
	status = 1;
	if (conf_htgroup_load(conf, false, NULL, stderr) == 0)
		status = explain_all(&args, conf, argc - optind,
		    argv + optind);
	conf_free(conf);
	return status;
}
