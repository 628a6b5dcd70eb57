/* SPDX-License-Identifier: ISC */
/*
 * What the commands for tokens and for robots share: their options, the
 * secret that is made here and shown once, and how results are printed.
 */
#include "authctl.h"

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "encode.h"
#include "str.h"

#define DAY	INT64_C(86400)
#define MAX_DAYS 36500

/* "90d", or as Go writes it; in seconds. */
static int64_t
parse_time(const char *text)
{
	size_t		 len = strlen(text);
	uint64_t	 n;

	if (len > 1 && text[len - 1] == 'd' &&
	    str_parse_u64(text, len - 1, MAX_DAYS, &n) == 0)
		return (int64_t)n * DAY;
	if (str_parse_duration(text, &n) == 0)
		return (int64_t)(n / 1000);
	warnx("%s: accepted: a time such as 90d, 12h or 0", text);
	authctl_usage();
}

static void
add_item(const char **list, size_t *n, const char *text)
{
	if (*n == AUTHCTL_MAX_LIST)
		errx(2, "accepted: at most %d of a kind", AUTHCTL_MAX_LIST);
	list[(*n)++] = text;
}

static void
set_option(struct authctl_options *options, int opt, const char *value)
{
	switch (opt) {
	case 'c':
		options->comment = value;
		break;
	case 'e':
		options->lifetime = parse_time(value);
		break;
	case 'f':
		options->conf = value;
		break;
	case 'j':
		options->json = true;
		break;
	case 'k':
		options->kind = value;
		break;
	case 'n':
		add_item(options->networks, &options->nnetworks, value);
		break;
	case 'o':
		options->overlap = parse_time(value);
		break;
	case 'r':
		add_item(options->rights, &options->nrights, value);
		break;
	case 'u':
		options->user = value;
		break;
	default:
		authctl_usage();
	}
}

void
authctl_options(struct authctl_options *options, const char *accepted,
    int argc, char **argv)
{
	static const struct option	 longopts[] = {
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 }
	};
	int				 opt;

	options->lifetime = options->overlap = -1;
	while ((opt = getopt_long(argc, argv, accepted, longopts,
	    NULL)) != -1)
		set_option(options, opt, optarg);
}

/* ---- requests ---- */

static void
put_text(json_t *request, const char *key, const char *text)
{
	if (text == NULL)
		return;
	if (json_object_set_new(request, key, json_string(text)) == -1)
		errx(1, "%s: accepted: a text in UTF-8", key);
}

static void
put_list(json_t *request, const char *key, const char *const *list, size_t n)
{
	json_t	*array = json_array();
	size_t	 i;

	for (i = 0; i < n; i++)
		if (json_array_append_new(array, json_string(list[i])) == -1)
			errx(1, "%s: accepted: a text in UTF-8", key);
	if (n > 0)
		json_object_set_new(request, key, array);
	else
		json_decref(array);
}

json_t *
authctl_request(const char *command, const struct authctl_options *options)
{
	json_t	*request = json_pack("{s:s}", "command", command);

	if (request == NULL)
		errx(1, "out of memory");
	put_text(request, "comment", options->comment);
	put_text(request, "user", options->user);
	put_text(request, "kind", options->kind);
	if (options->lifetime != -1)
		json_object_set_new(request, "lifetime",
		    json_integer(options->lifetime));
	if (options->overlap != -1)
		json_object_set_new(request, "overlap",
		    json_integer(options->overlap));
	put_list(request, "networks", options->networks, options->nnetworks);
	put_list(request, "rights", options->rights, options->nrights);
	return request;
}

int
authctl_add_secret(json_t *request, enum credential_kind kind,
    char secret[CREDENTIAL_SIZE])
{
	unsigned char	 hash[CREDENTIAL_HASH_SIZE];
	char		 hex[2 * CREDENTIAL_HASH_SIZE + 1];

	credential_make(kind, secret);
	if (credential_hash(secret, CREDENTIAL_LEN, hash) == -1) {
		warnx("SHA-256 failed");
		return -1;
	}
	hex_encode(hex, hash, sizeof(hash));
	return json_object_set_new(request, "hash", json_string(hex));
}

/* ---- results ---- */

static int
show_json(json_t *result, const char *secret)
{
	char	*text;

	if (secret != NULL)
		json_object_set_new(result, "secret", json_string(secret));
	if ((text = json_dumps(result, JSON_INDENT(2))) == NULL) {
		warnx("out of memory");
		return 1;
	}
	printf("%s\n", text);
	secret_wipe(text, strlen(text));
	free(text);
	return 0;
}

int
authctl_show(const struct authctl_options *options, json_t *result,
    char secret[CREDENTIAL_SIZE], const char *note)
{
	int	 status = 0;

	if (options->json)
		status = show_json(result, secret);
	else if (secret != NULL)
		printf("%s\n", secret);
	if (!options->json && note != NULL)
		fprintf(stderr, "%s\n", note);
	if (secret != NULL)
		secret_wipe(secret, CREDENTIAL_SIZE);
	json_decref(result);
	/* The only copy of a secret must not be lost unseen. */
	if (fflush(stdout) == EOF || ferror(stdout)) {
		warn("standard output");
		status = 1;
	}
	return status;
}

const char *
authctl_day(const json_t *when, bool ends, char text[16])
{
	time_t		 t = (time_t)json_integer_value(when);
	struct tm	 tm;

	if (!json_is_integer(when))
		return "never";
	if (ends && t <= time(NULL))
		return "expired";
	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(text, 16, "%Y-%m-%d", &tm) == 0)
		return "?";
	return text;
}

const char *
authctl_list(const json_t *array)
{
	static char	 text[8192];
	size_t		 i, len = 0;

	text[0] = '\0';
	for (i = 0; i < json_array_size(array) && len < sizeof(text); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s%s", i > 0 ? ", " : "",
		    json_string_value(json_array_get(array, i)));
	return text;
}

const char *
authctl_text(const json_t *object, const char *key, char *dst, size_t size)
{
	const char	*text = json_string_value(json_object_get(object,
			    key));
	size_t		 i;

	snprintf(dst, size, "%s", text == NULL ? "" : text);
	for (i = 0; dst[i] != '\0'; i++)
		if ((unsigned char)dst[i] < 0x20 || dst[i] == 0x7f ||
		    /* the control characters of Latin-1, in UTF-8 */
		    ((unsigned char)dst[i] == 0xc2 &&
		    (unsigned char)dst[i + 1] < 0xa0))
			dst[i] = '?';
	return dst;
}
