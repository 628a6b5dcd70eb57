/* SPDX-License-Identifier: ISC */
/*
 * authctl token: personal access tokens, and what else the database of
 * credentials holds.
 */
#include "authctl.h"

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int
token_new(struct authctl_options *options, int argc, char **argv)
{
	struct authctl_vault	*vault;
	char			 secret[CREDENTIAL_SIZE], day[16], note[512];
	json_t			*request, *result = NULL;

	authctl_options(options, "c:e:f:n:r:", argc, argv);
	if (argc - optind != 1)
		authctl_usage();
	options->user = argv[optind];
	request = authctl_request("token.new", options);
	if (authctl_add_secret(request, CREDENTIAL_PERSONAL, secret) == -1)
		return 1;
	if ((vault = authctl_vault_open(options->conf)) == NULL)
		json_decref(request);
	else
		result = authctl_vault_call(vault, request);
	authctl_vault_close(vault);
	if (result == NULL)
		return 1;
	snprintf(note, sizeof(note), "token %s of %s, expires: %s.  It is "
	    "the password of this user,\nand it is not shown again.",
	    json_string_value(json_object_get(result, "id")), options->user,
	    authctl_day(json_object_get(result, "expires"), true, day));
	return authctl_show(options, result, secret, note);
}

/* ---- list ---- */

static void
print_token(const json_t *c)
{
	const json_t	*rights = json_object_get(c, "rights");
	const json_t	*networks = json_object_get(c, "networks");
	char		 id[32], kind[16], user[512], text[512];
	char		 created[16], expires[16], used[16];

	printf("%-12s  %-8s  %-20s  %-10s  %-10s  %-10s  ",
	    authctl_text(c, "id", id, sizeof(id)),
	    authctl_text(c, "kind", kind, sizeof(kind)),
	    authctl_text(c, "user", user, sizeof(user)),
	    authctl_day(json_object_get(c, "created"), false, created),
	    authctl_day(json_object_get(c, "expires"), true, expires),
	    authctl_day(json_object_get(c, "used"), false, used));
	if (strcmp(kind, "refresh") == 0)
		printf("for %s", authctl_text(c, "service", text,
		    sizeof(text)));
	else
		printf("%s", json_is_array(rights) ? authctl_list(rights) :
		    "all that the user may");
	if (json_array_size(networks) > 0)
		printf("; from %s", authctl_list(networks));
	if (json_is_true(json_object_get(c, "disabled")))
		printf("; disabled");
	if (*authctl_text(c, "comment", text, sizeof(text)) != '\0' ||
	    *authctl_text(c, "client", text, sizeof(text)) != '\0')
		printf("; %s", text);
	putchar('\n');
}

/* All parts of the list in one array; NULL after a message. */
static json_t *
list_all(struct authctl_vault *vault, const struct authctl_options *options)
{
	json_t	*all = json_array(), *more = NULL, *request, *part;

	do {
		request = authctl_request("token.list", options);
		if (more != NULL)
			json_object_set_new(request, "after", more);
		if ((part = authctl_vault_call(vault, request)) == NULL) {
			json_decref(all);
			return NULL;
		}
		json_array_extend(all, json_object_get(part, "credentials"));
		more = json_incref(json_object_get(part, "more"));
		json_decref(part);
	} while (more != NULL);
	return all;
}

static int
token_list(struct authctl_options *options, int argc, char **argv)
{
	struct authctl_vault	*vault;
	json_t			*all;
	size_t			 i;

	authctl_options(options, "f:", argc, argv);
	if (argc - optind > 1)
		authctl_usage();
	options->user = argv[optind];		/* NULL: all */
	if ((vault = authctl_vault_open(options->conf)) == NULL)
		return 1;
	all = list_all(vault, options);
	authctl_vault_close(vault);
	if (all == NULL)
		return 1;
	if (!options->json) {
		printf("%-12s  %-8s  %-20s  %-10s  %-10s  %-10s  %s\n", "ID",
		    "KIND", "USER", "CREATED", "EXPIRES", "LAST USED",
		    "GOOD FOR");
		for (i = 0; i < json_array_size(all); i++)
			print_token(json_array_get(all, i));
	}
	return authctl_show(options, all, NULL, NULL);
}

/* ---- revoke ---- */

/* Some may be revoked when another is not there: all are tried. */
static int
revoke_ids(struct authctl_vault *vault, const struct authctl_options *options,
    int argc, char **argv)
{
	json_t	*request, *result;
	int	 i, n = 0, failed = 0;

	for (i = optind; i < argc; i++) {
		request = authctl_request("token.revoke", options);
		json_object_set_new(request, "id", json_string(argv[i]));
		if ((result = authctl_vault_call(vault, request)) == NULL)
			failed = 1;
		else
			n++;
		json_decref(result);
	}
	if (options->json)
		printf("{\"revoked\": %d}\n", n);
	return failed;
}

static int
revoke_user(struct authctl_vault *vault,
    const struct authctl_options *options)
{
	json_t		*result;
	json_int_t	 alike;
	char		 note[64];

	result = authctl_vault_call(vault, authctl_request("token.revoke",
	    options));
	if (result == NULL)
		return 1;
	alike = json_integer_value(json_object_get(result, "alike"));
	if (alike > 0)
		warnx("%lld more stay, of names that differ from %s in case "
		    "only: see authctl token list", (long long)alike,
		    options->user);
	snprintf(note, sizeof(note), "revoked: %lld", (long long)
	    json_integer_value(json_object_get(result, "revoked")));
	return authctl_show(options, result, NULL, note);
}

static int
token_revoke(struct authctl_options *options, int argc, char **argv)
{
	struct authctl_vault	*vault;
	int			 status;

	authctl_options(options, "f:k:u:", argc, argv);
	if ((options->user == NULL) == (optind == argc) ||
	    (options->kind != NULL && options->user == NULL))
		authctl_usage();
	if ((vault = authctl_vault_open(options->conf)) == NULL)
		return 1;
	if (options->user != NULL)
		status = revoke_user(vault, options);
	else
		status = revoke_ids(vault, options, argc, argv);
	authctl_vault_close(vault);
	return status;
}

int
authctl_token(const char *conf, int argc, char **argv)
{
	struct authctl_options	 options = { .conf = conf };

	if (argc < 2)
		authctl_usage();
	argc--;
	argv++;
	if (strcmp(argv[0], "new") == 0)
		return token_new(&options, argc, argv);
	if (strcmp(argv[0], "list") == 0)
		return token_list(&options, argc, argv);
	if (strcmp(argv[0], "revoke") == 0)
		return token_revoke(&options, argc, argv);
	warnx("unknown command: token %s", argv[0]);
	authctl_usage();
}
