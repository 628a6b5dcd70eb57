/* SPDX-License-Identifier: ISC */
/*
 * The configuration of docker_auth but for its rules: server, token, users,
 * LDAP.  What is made is read again before it is handed out.  Runs in
 * authctl; opens no file.
 */
#include "import.h"

#include <stdlib.h>
#include <string.h>

#include "str.h"

#include "authctl.h"

#define HASH_LEN	60		/* of bcrypt */
#define MIN_LIFETIME	60		/* seconds */
#define MAX_LIFETIME	86400

void
import_left(struct import *import, const struct yaml_node *node,
    const char *why)
{
	char	 path[YAML_PATH_SIZE], shown[2 * YAML_PATH_SIZE];

	yaml_path(node, path, sizeof(path));
	fprintf(import->args->report, "%s:%u: %s: not carried over: %s\n",
	    import->args->name, node->line, str_vis(shown, sizeof(shown),
	    path, strlen(path)), why);
	import->nleft++;
}

const char *
import_text(struct yaml_node *map, const char *key)
{
	struct yaml_node	*node = NULL;
	const char		*p;

	if (map != NULL && map->type == YAML_MAP)
		node = yaml_find(map, key);
	if (node == NULL || node->type != YAML_SCALAR ||
	    *node->scalar == '\0' || strlen(node->scalar) > 2000)
		return NULL;
	for (p = node->scalar; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return NULL;
	return node->scalar;
}

static void
put_text(const char *indent, const char *key, const char *value, FILE *out)
{
	if (value == NULL)
		return;
	fprintf(out, "%s%s: ", indent, key);
	conf_print_string(value, out);
	putc('\n', out);
}

/* Name what is beneath a map and not in "known", which ends with NULL. */
static void
left_others(struct import *import, struct yaml_node *map,
    const char *const *known)
{
	const char	*key;
	size_t		 i, k;

	if (map == NULL || map->type != YAML_MAP)
		return;
	for (i = 0; i < map->nitems; i++) {
		key = map->items[i]->key == NULL ? "" : map->items[i]->key;
		for (k = 0; known[k] != NULL && strcmp(known[k], key) != 0;)
			k++;
		if (known[k] == NULL)
			import_left(import, map->items[i],
			    "there is nothing like it here");
	}
}

/* ---- server and token ---- */

static void
put_server(struct import *import, struct yaml_node *map)
{
	static const char *const known[] = { "addr", "net", "certificate",
	    "key", NULL };
	FILE			*out = import->args->out;
	const char		*addr, *net, *cert, *key;

	addr = import_text(map, "addr");
	net = import_text(map, "net");
	if (net != NULL && strcmp(net, "unix") == 0)
		fputs("net: unix\n", out);
	if (addr != NULL && str_starts(addr, "unix:"))
		addr += 5;
	if (addr != NULL && *addr != '\0')
		put_text("", "listen", addr, out);
	cert = import_text(map, "certificate");
	key = import_text(map, "key");
	if (cert != NULL && key != NULL) {
		fputs("tls:\n", out);
		put_text("  ", "certificate", cert, out);
		put_text("  ", "key", key, out);
	}
	left_others(import, map, known);
	import->real_ip = map != NULL && map->type == YAML_MAP &&
	    yaml_find(map, "real_ip_header") != NULL;
}

static void
put_lifetime(struct import *import, struct yaml_node *map)
{
	const char	*text = import_text(map, "expiration");
	uint64_t	 seconds;

	if (text == NULL)
		return;
	if (str_parse_u64(text, strlen(text), UINT32_MAX, &seconds) == -1) {
		import_left(import, yaml_find(map, "expiration"),
		    "not a number of seconds");
		return;
	}
	if (seconds < MIN_LIFETIME || seconds > MAX_LIFETIME) {
		import_left(import, yaml_find(map, "expiration"),
		    "tokens are valid from a minute to a day");
		seconds = seconds < MIN_LIFETIME ? MIN_LIFETIME : MAX_LIFETIME;
	}
	fprintf(import->args->out, "  lifetime: %us\n", (unsigned)seconds);
}

/* The key of TLS signs where the tokens have none of their own. */
static void
put_token(struct import *import, struct yaml_node *map,
    struct yaml_node *server)
{
	static const char *const known[] = { "issuer", "expiration",
	    "certificate", "key", NULL };
	FILE			*out = import->args->out;
	const char		*cert, *key, *issuer;

	issuer = import_text(map, "issuer");
	if (issuer != NULL && strlen(issuer) <= 255)
		put_text("", "issuer", issuer, out);
	cert = import_text(map, "certificate");
	key = import_text(map, "key");
	if (cert == NULL || key == NULL) {
		cert = import_text(server, "certificate");
		key = import_text(server, "key");
	}
	if (cert == NULL || key == NULL) {
		cert = "/etc/token.crt";
		key = "/etc/token.key";
	}
	fputs("token:\n", out);
	put_text("  ", "key", key, out);
	put_text("  ", "certificate", cert, out);
	put_lifetime(import, map);
	left_others(import, map, known);
}

static void
put_services(struct import *import)
{
	const struct conf_list	*asked = import->args->services;
	FILE			*out = import->args->out;

	if (asked->n > 0 || import->services.n > 0) {
		fputs("services: ", out);
		conf_print_list(asked->n > 0 ? asked : &import->services, out);
		putc('\n', out);
		return;
	}
	fputs("# The service of each registry's configuration: docker_auth "
	    "takes any.\nservices: [registry]\n", out);
	fprintf(import->args->report, "%s: no rule names a service, and "
	    "tokens are only made for those that are listed: -s SERVICE "
	    "names one\n", import->args->name);
}

/* ---- users ---- */

static bool
hash_ok(const char *hash)
{
	static const char	 letters[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./$";

	return strlen(hash) == HASH_LEN && (str_starts(hash, "$2y$") ||
	    str_starts(hash, "$2b$") || str_starts(hash, "$2a$")) &&
	    strspn(hash, letters) == HASH_LEN;
}

static void
import_user(struct import *import, struct yaml_node *user)
{
	const char	*name = user->key == NULL ? "" : user->key, *hash;

	if (user->type == YAML_MAP && yaml_find(user, "labels") != NULL)
		import_left(import, yaml_find(user, "labels"),
		    "users have no labels here; groups may do");
	hash = import_text(user, "password");
	if (*name == '\0') {
		import->anonymous = hash == NULL;
		if (hash != NULL)
			import_left(import, user,
			    "the anonymous user has no password");
		return;
	}
	if (htpasswd_user_wrong(name) != NULL)
		import_left(import, user, htpasswd_user_wrong(name));
	else if (hash == NULL || !hash_ok(hash))
		import_left(import, user, "without a bcrypt hash any "
		    "password, or none, would do");
	else
		fprintf(import->args->users, "%s:%s\n", name, hash);
	if (strchr(name, '/') != NULL)
		import->many_users = true;
}

static void
import_users(struct import *import, struct yaml_node *map)
{
	size_t	 i;

	if (map == NULL || yaml_is_empty(map))
		return;
	if (map->type != YAML_MAP) {
		import_left(import, map, "not a map of users");
		return;
	}
	for (i = 0; i < map->nitems; i++)
		import_user(import, map->items[i]);
}

/* ---- LDAP ---- */

/* "${account}" becomes {user}; braces of their own cannot be. */
static const char *
template(const char *from, char *to, size_t size)
{
	static const char	 variable[] = "${account}";
	size_t			 len = 0;

	while (from != NULL && *from != '\0') {
		if (len + 7 > size)
			return NULL;
		if (str_starts(from, variable)) {
			memcpy(to + len, "{user}", 6);
			len += 6;
			from += sizeof(variable) - 1;
		} else if (strchr("{}", *from) != NULL ||
		    str_starts(from, "${")) {
			return NULL;
		} else {
			to[len++] = *from++;
		}
	}
	to[len] = '\0';
	return strstr(to, "{user}") == NULL ? NULL : to;
}

static const char *
ldap_mode(struct import *import, struct yaml_node *map, char *uri, size_t size)
{
	const char	*tls = import_text(map, "tls"), *addr;

	if ((addr = import_text(map, "addr")) == NULL || strlen(addr) > 200 ||
	    strchr(addr, '/') != NULL) {
		import_left(import, map, "LDAP without an address");
		return NULL;
	}
	/* Without a word it is plain there. */
	if (tls == NULL)
		tls = "none";
	snprintf(uri, size, "%s://%s", strcmp(tls, "always") == 0 ? "ldaps" :
	    "ldap", addr);
	return strcmp(tls, "none") == 0 || strcmp(tls, "") == 0 ? "none" :
	    "starttls";
}

static void
put_bind(struct import *import, struct yaml_node *map)
{
	const char	*dn = import_text(map, "bind_dn");
	const char	*file = import_text(map, "bind_password_file");
	FILE		*out = import->args->out;

	if (dn != NULL && file != NULL && strstr(dn, "${") == NULL) {
		put_text("  ", "bind_dn", dn, out);
		put_text("  ", "bind_password_file", file, out);
	} else if (dn != NULL || file != NULL) {
		import_left(import, yaml_find(map, dn != NULL ? "bind_dn" :
		    "bind_password_file"), "bind_dn without a variable and "
		    "bind_password_file go together");
	}
}

void
import_ldap(struct import *import, struct yaml_node *map)
{
	static const char *const known[] = { "addr", "tls", "ca_certificate",
	    "bind_dn", "bind_password_file", "base", "filter", NULL };
	const char		*mode, *base, *filter, *ca;
	FILE			*out = import->args->out;
	char			 uri[256], text[2048];

	if ((mode = ldap_mode(import, map, uri, sizeof(uri))) == NULL)
		return;
	base = import_text(map, "base");
	filter = template(import_text(map, "filter"), text, sizeof(text));
	left_others(import, map, known);
	if (base == NULL || filter == NULL) {
		import_left(import, map, "LDAP needs a base, and a filter "
		    "with ${account} and no other variable");
		return;
	}
	import->many_users = true;
	fputs("ldap:\n", out);
	fputs("  uris: [", out);
	conf_print_string(uri, out);
	fputs("]\n", out);
	if (!str_starts(uri, "ldaps"))
		put_text("  ", "tls", mode, out);
	if (strcmp(mode, "none") == 0)
		fputs("  allow_plaintext: true\n", out);
	ca = import_text(map, "ca_certificate");
	if (ca == NULL && strcmp(mode, "none") != 0)
		ca = "/etc/ssl/certs/ca-certificates.crt";
	put_text("  ", "ca", ca, out);
	put_bind(import, map);
	put_text("  ", "base", base, out);
	put_text("  ", "filter", filter, out);
}

/* ---- all of it ---- */

static void
put_rules(struct import *import, const char *rules, size_t len)
{
	FILE	*out = import->args->out;

	fputs("access:", out);
	/* The rest are comments. */
	if (!str_starts(rules, "  - ") && strstr(rules, "\n  - ") == NULL)
		fputs(" []\n", out);
	else if (import->star_users && import->many_users)
		/* There "*" is a name without a slash, and here everybody. */
		fputs("\n  - {user: \"**/**\", actions: []}\n", out);
	else
		putc('\n', out);
	fwrite(rules, 1, len, out);
}

static void
import_root(struct import *import, struct yaml_node *root)
{
	static const char *const known[] = { "server", "token", "users",
	    "ldap_auth", "acl", NULL };
	struct yaml_node	*node;
	char			*rules = NULL;
	size_t			 len = 0;

	fprintf(import->args->out, "# Made of a configuration of "
	    "docker_auth.\n");
	import_users(import, yaml_find(root, "users"));
	put_server(import, yaml_find(root, "server"));
	put_token(import, yaml_find(root, "token"),
	    yaml_find(root, "server"));
	put_text("", "htpasswd", import->args->htpasswd, import->args->out);
	if ((node = yaml_find(root, "ldap_auth")) != NULL)
		import_ldap(import, node);
	if ((import->rules = open_memstream(&rules, &len)) == NULL)
		fatalx("out of memory");
	if ((node = yaml_find(root, "acl")) != NULL)
		import_acl(import, node);
	fclose(import->rules);
	put_services(import);
	put_rules(import, rules, len);
	free(rules);
	left_others(import, root, known);
}

int
import_docker_auth(const struct import_args *args)
{
	struct import	 import = { .args = args };
	struct yamldoc	*doc = yamldoc_parse(args->name, args->text,
			    args->len);
	size_t		 i;
	int		 left = -1;

	if (doc->nerrors > 0)
		yamldoc_print_messages(doc, args->report);
	else if (doc->root == NULL || doc->root->type != YAML_MAP)
		fprintf(args->report, "error: %s: not a map\n", args->name);
	else {
		import_root(&import, doc->root);
		left = (int)import.nleft;
	}
	for (i = 0; i < import.services.n; i++)
		free(import.services.items[i]);
	free(import.services.items);
	yamldoc_free(doc);
	return left;
}
