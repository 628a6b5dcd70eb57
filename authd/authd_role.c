/* SPDX-License-Identifier: ISC */
/*
 * The children of a configuration and their users.  Runs in the parent.
 */
#include "authd_role.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "privdrop.h"

#include "messages.h"

/* Who starts without being root stays who he is. */
int
authd_role_user(struct supervise_role *role, const char *key, const char *user,
    FILE *messages)
{
	if (geteuid() != 0)
		return 0;
	if (privdrop_lookup(user, &role->uid, &role->gids[0]) == 0) {
		role->ngids = 1;
		role->drop = true;
		return 0;
	}
	if (errno == ENOENT)
		fprintf(messages, "error: %s: there is no user %s; create it "
		    "with: useradd --system --no-create-home --shell "
		    "/usr/sbin/nologin %s\n", key, user, user);
	else
		fprintf(messages, "error: %s: %s: %s\n", key, user,
		    strerror(errno));
	return -1;
}

/* One whose groups matter, such as "shadow"; root is fine as well. */
int
authd_role_system_user(struct supervise_role *role, const char *key,
    const char *user, FILE *messages)
{
	if (geteuid() != 0 || strcmp(user, "root") == 0)
		return 0;
	if (authd_role_user(role, key, user, messages) == -1)
		return -1;
	if (privdrop_groups(user, role->gids, &role->ngids) == 0)
		return 0;
	fprintf(messages, "error: %s: %s: %s\n", key, user,
	    errno == ENOSPC ? "is in too many groups" : strerror(errno));
	return -1;
}

/* ---- all of them ---- */

static struct supervise_role *
add_role(struct authd_roles *all, unsigned role, const char *name,
    uint64_t count, unsigned drain_order)
{
	struct supervise_role	*added = &all->roles[all->nroles++];

	added->role = role;
	added->name = name;
	added->count = (unsigned)count;
	added->drain_order = drain_order;
	return added;
}

static void
add_link(struct authd_roles *all, unsigned from, unsigned to, unsigned judge)
{
	all->links[all->nlinks++] = (struct supervise_link){
	    .a = from, .b = to, .judge = judge };
}

/* The verifiers of each backend that is used. */
static int
make_verifiers(struct authd_roles *all, const struct authd_conf *conf,
    FILE *messages)
{
	const struct conf_backend	*backend;
	struct supervise_role		*role;
	int				 failed = 0;

	for (backend = conf_backends; backend->name != NULL; backend++) {
		if (!conf_backend_is_used(conf, backend->role))
			continue;
		role = add_role(all, backend->role, backend->process,
		    conf_backend_count(conf, backend), 2);
		add_link(all, ROLE_BROKER, backend->role, ROLE_BROKER);
		failed |= (backend->system_user ? authd_role_system_user :
		    authd_role_user)(role, backend->user_key,
		    conf_backend_user(conf, backend), messages);
	}
	return failed;
}

static int
make_vault(struct authd_roles *all, const struct authd_conf *conf,
    FILE *messages)
{
	struct supervise_role	*role;

	if (conf->credentials.database == NULL)
		return 0;
	role = add_role(all, ROLE_VAULT, "vault", 1, 2);
	add_link(all, ROLE_BROKER, ROLE_VAULT, ROLE_BROKER);
	return authd_role_user(role, "credentials.user",
	    conf->credentials.user, messages);
}

int
authd_roles_make(struct authd_roles *all, const struct authd_conf *conf,
    FILE *messages)
{
	struct supervise_role	*role;
	int			 failed = 0;

	memset(all, 0, sizeof(*all));
	role = add_role(all, ROLE_WORKER, "worker", conf->workers, 0);
	failed |= authd_role_user(role, "user", conf->user, messages);
	role = add_role(all, ROLE_BROKER, "broker", 1, 1);
	failed |= authd_role_user(role, "broker_user", conf->broker_user,
	    messages);
	add_link(all, ROLE_WORKER, ROLE_BROKER, ROLE_BROKER);
	failed |= make_verifiers(all, conf, messages);
	failed |= make_vault(all, conf, messages);
	role = add_role(all, ROLE_SIGNER, "signer", 1, 2);
	failed |= authd_role_user(role, "signer_user", conf->signer_user,
	    messages);
	add_link(all, ROLE_BROKER, ROLE_SIGNER, ROLE_SIGNER);
	return failed;
}

const struct supervise_role *
authd_roles_find(const struct authd_roles *all, unsigned role)
{
	size_t	 i;

	for (i = 0; i < all->nroles; i++)
		if (all->roles[i].role == role)
			return &all->roles[i];
	return NULL;
}
