/* SPDX-License-Identifier: ISC */
/*
 * authctl robot: accounts that no directory has, with rights of their own
 * and secrets that are replaced one by one.
 */
#include "authctl.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "str.h"
#include "xmem.h"

/* "ci" is short for "robot$ci", which shells would want quoted. */
static void
put_name(json_t *request, const char *name)
{
	char	*full;

	if (str_starts(name, CREDENTIAL_ROBOT_PREFIX))
		full = xstrdup(name);
	else
		full = xasprintf("%s%s", CREDENTIAL_ROBOT_PREFIX, name);
	if (json_object_set_new(request, "name", json_string(full)) == -1)
		errx(1, "name: accepted: a text in UTF-8");
	free(full);
}

/* Do a command about the one robot that the arguments name. */
static json_t *
call(const struct authctl_options *options, json_t *request)
{
	struct authctl_vault	*vault;
	json_t			*result = NULL;

	if ((vault = authctl_vault_open(options->conf)) == NULL)
		json_decref(request);
	else
		result = authctl_vault_call(vault, request);
	authctl_vault_close(vault);
	return result;
}

static json_t *
request_for(const char *command, const struct authctl_options *options,
    int argc, char **argv)
{
	json_t	*request;

	if (argc - optind != 1)
		authctl_usage();
	request = authctl_request(command, options);
	put_name(request, argv[optind]);
	return request;
}

static int
robot_new(struct authctl_options *options, int argc, char **argv)
{
	char	 secret[CREDENTIAL_SIZE], note[512];
	json_t	*request, *result;

	authctl_options(options, "c:e:f:n:r:", argc, argv);
	request = request_for("robot.new", options, argc, argv);
	if (authctl_add_secret(request, CREDENTIAL_ROBOT, secret) == -1 ||
	    (result = call(options, request)) == NULL)
		return 1;
	snprintf(note, sizeof(note), "the password of the user %s; it is "
	    "not shown again.  In a shell the name is\nwritten with quotes: "
	    "docker login -u '%s'",
	    json_string_value(json_object_get(result, "name")),
	    json_string_value(json_object_get(result, "name")));
	return authctl_show(options, result, secret, note);
}

static int
robot_rotate(struct authctl_options *options, int argc, char **argv)
{
	char	 secret[CREDENTIAL_SIZE], note[512], end[16];
	json_t	*request, *result;

	authctl_options(options, "c:e:f:o:", argc, argv);
	request = request_for("robot.rotate", options, argc, argv);
	if (authctl_add_secret(request, CREDENTIAL_ROBOT, secret) == -1 ||
	    (result = call(options, request)) == NULL)
		return 1;
	snprintf(note, sizeof(note), "the new password of %s; it is not "
	    "shown again.  End of the old ones: %s",
	    json_string_value(json_object_get(result, "name")),
	    authctl_day(json_object_get(result, "old_end"), true, end));
	return authctl_show(options, result, secret, note);
}

static int
robot_change(const char *command, struct authctl_options *options, int argc,
    char **argv)
{
	json_t	*result;

	authctl_options(options, "f:", argc, argv);
	result = call(options, request_for(command, options, argc, argv));
	return result == NULL ? 1 : authctl_show(options, result, NULL, NULL);
}

/* ---- list ---- */

static void
print_robot(const json_t *robot)
{
	const json_t	*networks = json_object_get(robot, "networks"), *s;
	json_t		*secrets = json_object_get(robot, "secrets");
	char		 name[512], text[512], expires[16], used[16];
	size_t		 i;

	printf("%s: %s", authctl_text(robot, "name", name, sizeof(name)),
	    authctl_list(json_object_get(robot, "rights")));
	if (json_array_size(networks) > 0)
		printf("; from %s", authctl_list(networks));
	if (json_is_true(json_object_get(robot, "disabled")))
		printf("; disabled");
	if (*authctl_text(robot, "comment", text, sizeof(text)) != '\0')
		printf("; %s", text);
	putchar('\n');
	json_array_foreach(secrets, i, s)
		printf("    secret %s, expires: %s, last used: %s%s%s\n",
		    json_string_value(json_object_get(s, "id")),
		    authctl_day(json_object_get(s, "expires"), true, expires),
		    authctl_day(json_object_get(s, "used"), false, used),
		    *authctl_text(s, "comment", text, sizeof(text)) == '\0' ?
		    "" : "; ", text);
}

static int
robot_list(struct authctl_options *options, int argc, char **argv)
{
	struct authctl_vault	*vault;
	json_t			*all = json_array(), *more = NULL;
	json_t			*request, *part, *robot;
	size_t			 i;

	authctl_options(options, "f:", argc, argv);
	if (argc != optind)
		authctl_usage();
	if ((vault = authctl_vault_open(options->conf)) == NULL)
		return 1;
	do {
		request = authctl_request("robot.list", options);
		if (more != NULL)
			json_object_set_new(request, "after", more);
		if ((part = authctl_vault_call(vault, request)) == NULL)
			break;
		json_array_extend(all, json_object_get(part, "robots"));
		more = json_incref(json_object_get(part, "more"));
		json_decref(part);
	} while (more != NULL);
	authctl_vault_close(vault);
	if (part == NULL)
		return 1;
	if (!options->json)
		json_array_foreach(all, i, robot)
			print_robot(robot);
	return authctl_show(options, all, NULL, NULL);
}

int
authctl_robot(const char *conf, int argc, char **argv)
{
	static const char *const	 changes[] = { "disable", "enable",
	    "delete" };
	struct authctl_options		 options = { .conf = conf };
	char				 command[32];
	size_t				 i;

	if (argc < 2)
		authctl_usage();
	argc--;
	argv++;
	if (strcmp(argv[0], "new") == 0)
		return robot_new(&options, argc, argv);
	if (strcmp(argv[0], "rotate") == 0)
		return robot_rotate(&options, argc, argv);
	if (strcmp(argv[0], "list") == 0)
		return robot_list(&options, argc, argv);
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		if (strcmp(argv[0], changes[i]) != 0)
			continue;
		snprintf(command, sizeof(command), "robot.%s", changes[i]);
		return robot_change(command, &options, argc, argv);
	}
	warnx("unknown command: robot %s", argv[0]);
	authctl_usage();
}
