/* SPDX-License-Identifier: ISC */
/*
 * What tokens are signed with, and how for each service: reads "services:"
 * and "keys:" from the file and prints them.  Runs in the parent and in
 * authctl; opens no file that they name.
 */
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "conf_key.h"
#include "messages.h"
#include "str.h"
#include "xmem.h"
#include "yamldoc.h"

#define DEFAULT_KID	"rfc7638"
#define MAX_KID		100
#define MAX_NAME	64
#define MAX_PATH	4096
#define MINUTE		UINT64_C(60000)
#define PROFILE_KEYS	"algorithm, kid, x5c, lifetime, backdate"

static const struct conf_key
    algorithm_key = { .accepted = "RS256|ES256|EdDSA" },
    kid_key = { .min = 1, .max = MAX_KID },
    name_key = { .min = 1, .max = MAX_NAME },
    path_key = { .min = 1, .max = MAX_PATH },
    use_key = { .accepted = "sign|verify" };

/* The text at a key of a map; NULL when it is absent or wrong. */
static char *
read_text(const struct conf_key *key, struct yamldoc *doc,
    struct yaml_node *map, const char *name)
{
	struct yaml_node	*node = yaml_find(map, name);

	return node == NULL ? NULL : conf_read_string(key, doc, node);
}

/* ---- services ---- */

static void
read_kid(struct conf_service *service, struct yamldoc *doc,
    struct yaml_node *map)
{
	static const char	 chars[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:+/=-";
	char			*kid;

	if ((kid = read_text(&kid_key, doc, map, "kid")) == NULL)
		return;
	if (strspn(kid, chars) != strlen(kid)) {
		conf_wrong(doc, yaml_find(map, "kid"), "rfc7638, libtrust, "
		    "or an id of letters, digits and _.:+/=-");
		free(kid);
		return;
	}
	free(service->kid);
	service->kid = kid;
}

static void
read_time(struct yamldoc *doc, struct yaml_node *map, const char *name,
    uint64_t min, uint64_t max, uint64_t *ms)
{
	struct yaml_node	*node = yaml_find(map, name);
	char			 low[32], high[32];
	uint64_t		 n;

	if (node == NULL || yaml_duration(doc, node, &n) == -1)
		return;
	if (n < min || n > max)
		yaml_error(doc, node, "found %s, accepted: %s to %s",
		    node->scalar, str_duration(low, sizeof(low), min),
		    str_duration(high, sizeof(high), max));
	else
		*ms = n;
}

/* NULL when it has no name. */
static char *
read_service(struct conf_service *service, const struct conf_key *key,
    struct yamldoc *doc, struct yaml_node *node)
{
	struct yaml_node	*x5c;
	char			*name;

	node->used = true;
	service->kid = xstrdup(DEFAULT_KID);
	service->x5c = true;
	service->lifetime_ms = service->backdate_ms = CONF_DEFAULT;
	if (node->type == YAML_SCALAR)
		return conf_read_string(key, doc, node);
	if (node->type != YAML_MAP || yaml_find(node, "name") == NULL) {
		conf_wrong(doc, node, "the name of a service, or a map with "
		    "name and any of " PROFILE_KEYS);
		return NULL;
	}
	service->algorithm = read_text(&algorithm_key, doc, node,
	    "algorithm");
	read_kid(service, doc, node);
	if ((x5c = yaml_find(node, "x5c")) != NULL)
		yaml_bool(doc, x5c, &service->x5c);
	read_time(doc, node, "lifetime", MINUTE, 24 * 60 * MINUTE,
	    &service->lifetime_ms);
	read_time(doc, node, "backdate", 0, 5 * MINUTE,
	    &service->backdate_ms);
	name = read_text(key, doc, node, "name");
	yaml_check_unused(doc, node, "name, " PROFILE_KEYS);
	return name;
}

void
conf_services_read(struct authd_conf *conf, const struct conf_key *key,
    struct yamldoc *doc, struct yaml_node *node)
{
	char	*name;
	size_t	 i;

	if (node->type != YAML_LIST || node->nitems > CONF_MAX_LIST) {
		conf_wrong(doc, node, "a list of at most 1024 services");
		return;
	}
	node->used = true;
	if (node->nitems == 0)
		yaml_error(doc, node, "found an empty list, accepted: a list "
		    "of services, at least one");
	conf->profiles = xcalloc(node->nitems + 1, sizeof(*conf->profiles));
	for (i = 0; i < node->nitems; i++) {
		name = read_service(&conf->profiles[i], key, doc,
		    node->items[i]);
		/* The lists stay side by side: a file with errors ends here. */
		if (conf_list_add(&conf->services,
		    name == NULL ? "" : name) == -1)
			fatalx("out of memory");
		free(name);
	}
}

static bool
is_default(const struct conf_service *service)
{
	return service->algorithm == NULL && service->x5c &&
	    strcmp(service->kid, DEFAULT_KID) == 0 &&
	    service->lifetime_ms == CONF_DEFAULT &&
	    service->backdate_ms == CONF_DEFAULT;
}

static void
print_time(const char *name, uint64_t ms, FILE *out)
{
	char	 text[32];

	if (ms != CONF_DEFAULT)
		fprintf(out, ", %s: %s", name,
		    str_duration(text, sizeof(text), ms));
}

void
conf_services_print(const struct authd_conf *conf, FILE *out)
{
	const struct conf_service	*service;
	size_t				 i;

	putc('[', out);
	for (i = 0; i < conf->services.n; i++) {
		service = &conf->profiles[i];
		fputs(i > 0 ? ", " : "", out);
		if (is_default(service)) {
			conf_print_string(conf->services.items[i], out);
			continue;
		}
		fputs("{name: ", out);
		conf_print_string(conf->services.items[i], out);
		if (service->algorithm != NULL)
			fprintf(out, ", algorithm: %s", service->algorithm);
		fputs(", kid: ", out);
		conf_print_string(service->kid, out);
		fprintf(out, ", x5c: %s", service->x5c ? "true" : "false");
		print_time("lifetime", service->lifetime_ms, out);
		print_time("backdate", service->backdate_ms, out);
		putc('}', out);
	}
	putc(']', out);
}

/* ---- keys ---- */

static void
read_token_key(struct conf_token_key *key, struct yamldoc *doc,
    struct yaml_node *node)
{
	char	*use;

	node->used = true;
	if (node->type != YAML_MAP) {
		conf_wrong(doc, node, "a map of name, key, certificate and "
		    "use");
		return;
	}
	key->name = read_text(&name_key, doc, node, "name");
	key->key = read_text(&path_key, doc, node, "key");
	key->certificate = read_text(&path_key, doc, node, "certificate");
	use = read_text(&use_key, doc, node, "use");
	key->sign = use == NULL || strcmp(use, "sign") == 0;
	free(use);
	yaml_check_unused(doc, node, "name, key, certificate, use");
	if (yaml_find(node, "name") == NULL ||
	    yaml_find(node, "certificate") == NULL)
		yaml_error(doc, node, "accepted: a map with at least name "
		    "and certificate");
	else if (key->sign && yaml_find(node, "key") == NULL)
		yaml_error(doc, node, "a key that signs needs the name of "
		    "its file, \"key\"");
}

static void
check_names(const struct authd_conf *conf, struct yamldoc *doc,
    struct yaml_node *list)
{
	size_t	 i, j;

	for (i = 0; i < conf->nkeys; i++)
		for (j = 0; j < i; j++)
			if (conf->keys[i].name != NULL &&
			    conf->keys[j].name != NULL &&
			    strcmp(conf->keys[i].name,
			    conf->keys[j].name) == 0)
				yaml_error(doc, list->items[i],
				    "%s is there twice", conf->keys[i].name);
}

/* A key that signs: token.key, or one of the list. */
static void
check_signing(const struct authd_conf *conf, struct yamldoc *doc)
{
	struct yaml_node	*token = NULL, *key = NULL, *certificate = NULL;
	bool			 needed = true;
	size_t			 i;

	if (doc->root != NULL)
		token = yaml_find(doc->root, "token");
	if (token != NULL && token->type == YAML_MAP) {
		key = yaml_find(token, "key");
		certificate = yaml_find(token, "certificate");
	}
	for (i = 0; i < conf->nkeys; i++)
		if (conf->keys[i].sign)
			needed = false;
	if (key == NULL && certificate == NULL && !needed)
		return;
	if (key == NULL)
		yaml_error(doc, doc->root, "token.key: missing, accepted: "
		    "the name of a file");
	if (certificate == NULL)
		yaml_error(doc, doc->root, "token.certificate: missing, "
		    "accepted: the name of a file");
}

void
conf_keys_read(struct authd_conf *conf, struct yamldoc *doc)
{
	struct yaml_node	*list = NULL;
	size_t			 i;

	if (doc->root != NULL)
		list = yaml_find(doc->root, "keys");
	if (list != NULL) {
		if (list->type != YAML_LIST ||
		    list->nitems > CONF_MAX_KEYS) {
			conf_wrong(doc, list, "a list of at most 8 keys");
			return;
		}
		conf->keys = xcalloc(list->nitems + 1, sizeof(*conf->keys));
		conf->nkeys = list->nitems;
		for (i = 0; i < list->nitems; i++)
			read_token_key(&conf->keys[i], doc, list->items[i]);
		check_names(conf, doc, list);
	}
	check_signing(conf, doc);
}

void
conf_keys_print(const struct authd_conf *conf, FILE *out)
{
	const struct conf_token_key	*key;
	size_t				 i;

	if (conf->nkeys == 0)
		return;
	fputs("keys:\n", out);
	for (i = 0; i < conf->nkeys; i++) {
		key = &conf->keys[i];
		fputs("  - {name: ", out);
		conf_print_string(key->name, out);
		if (key->key != NULL) {
			fputs(", key: ", out);
			conf_print_string(key->key, out);
		}
		fputs(", certificate: ", out);
		conf_print_string(key->certificate, out);
		fprintf(out, ", use: %s}\n", key->sign ? "sign" : "verify");
	}
}

void
conf_token_free(struct authd_conf *conf)
{
	size_t	 i;

	for (i = 0; i < conf->nkeys; i++) {
		free(conf->keys[i].name);
		free(conf->keys[i].key);
		free(conf->keys[i].certificate);
	}
	free(conf->keys);
	for (i = 0; conf->profiles != NULL && i < conf->services.n; i++) {
		free(conf->profiles[i].algorithm);
		free(conf->profiles[i].kid);
	}
	free(conf->profiles);
}
