/* SPDX-License-Identifier: ISC */
/*
 * authctl passwd: add a user to an htpasswd file, change the password, or
 * delete the user.
 */
#include "authctl.h"

#include <crypt.h>
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "random.h"
#include "str.h"

#include "conf.h"

#define BCRYPT_PREFIX	"$2y$"		/* as distribution wants it */
#define BCRYPT_SALT	16
#define BCRYPT_MAX	72		/* bytes of a password that count */
#define COST_MIN	8
#define COST_MAX	15
#define COST_DEFAULT	10		/* 50 ms or so for each check */

struct passwd_args {
	const char	*conf;
	const char	*htpasswd;	/* NULL: as the configuration says */
	const char	*user;
	uint64_t	 cost;
	bool		 delete;
};

static void
parse_args(struct passwd_args *args, int argc, char **argv)
{
	int	 opt;

	while ((opt = getopt(argc, argv, "c:f:p:D")) != -1) {
		switch (opt) {
		case 'c':
			if (str_parse_u64(optarg, strlen(optarg), COST_MAX,
			    &args->cost) == -1 || args->cost < COST_MIN) {
				warnx("-c %s: a cost is %d to %d",
				    optarg, COST_MIN, COST_MAX);
				exit(2);
			}
			break;
		case 'f':
			args->conf = optarg;
			break;
		case 'p':
			args->htpasswd = optarg;
			break;
		case 'D':
			args->delete = true;
			break;
		default:
			authctl_usage();
		}
	}
	if (argc - optind != 1)
		authctl_usage();
	args->user = argv[optind];
}

/* Path of the file (free it), NULL when it cannot be found out. */
static char *
find_htpasswd(const struct passwd_args *args)
{
	struct authd_conf	*conf;
	char			*path = NULL;

	if (args->htpasswd != NULL)
		return strdup(args->htpasswd);
	conf = conf_load(args->conf, stderr);
	if (conf == NULL) {
		warnx("-p HTPASSWD names the file without a "
		    "configuration");
		return NULL;
	}
	if (conf->htpasswd != NULL)
		path = strdup(conf->htpasswd);
	else
		warnx("%s: there is no \"htpasswd\" in it; -p "
		    "HTPASSWD names a file", args->conf);
	conf_free(conf);
	return path;
}

static const char *
password_wrong(const struct secret *password)
{
	const char	*p = secret_data(password);
	size_t		 i, len = secret_len(password);

	if (len == 0)
		return "an empty password is refused by authd, always";
	for (i = 0; i < len; i++) {
		if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f)
			return "there is a control character in the password";
	}
	if (len > BCRYPT_MAX)
		return "the password is longer than 72 bytes: bcrypt ignores "
		    "what is behind them, so it would look stronger than it "
		    "is";
	return NULL;
}

/* The hash (free it), NULL when libcrypt cannot. */
static char *
hash_password(const struct secret *password, unsigned long cost)
{
	char			 setting[CRYPT_GENSALT_OUTPUT_SIZE];
	char			 salt[BCRYPT_SALT];
	struct crypt_data	*data;
	char			*hash, *copy = NULL;

	random_bytes(salt, sizeof(salt));
	if (crypt_gensalt_rn(BCRYPT_PREFIX, cost, salt, sizeof(salt), setting,
	    sizeof(setting)) == NULL)
		return NULL;
	data = calloc(1, sizeof(*data));
	if (data == NULL)
		return NULL;
	hash = crypt_r(secret_data(password), setting, data);
	if (hash != NULL && str_starts(hash, BCRYPT_PREFIX))
		copy = strdup(hash);
	secret_wipe(data, sizeof(*data));
	free(data);
	return copy;
}

static char *
new_hash(const struct passwd_args *args)
{
	struct secret	*password;
	const char	*wrong;
	char		*hash = NULL;

	password = authctl_read_password(args->user);
	if (password == NULL)
		return NULL;
	wrong = password_wrong(password);
	if (wrong != NULL)
		warnx("%s", wrong);
	else {
		hash = hash_password(password, (unsigned long)args->cost);
		if (hash == NULL)
			warn("bcrypt");
	}
	secret_free(password);
	return hash;
}

static int
edit(const char *path, const char *user, const char *hash)
{
	switch (htpasswd_set(path, user, hash)) {
	case HTPASSWD_ADDED:
		printf("%s: added user %s\n", path, user);
		return 0;
	case HTPASSWD_CHANGED:
		printf("%s: changed the password of user %s\n", path, user);
		return 0;
	case HTPASSWD_DELETED:
		printf("%s: deleted user %s\n", path, user);
		return 0;
	case HTPASSWD_NO_USER:
		warnx("%s: there is no user %s", path, user);
		return 1;
	default:
		return 1;
	}
}

int
authctl_passwd(const char *conf, int argc, char **argv)
{
	struct passwd_args	 args = { .conf = conf, .cost = COST_DEFAULT };
	const char		*wrong;
	char			*path, *hash = NULL;
	int			 status = 1;

	parse_args(&args, argc, argv);
	wrong = htpasswd_user_wrong(args.user);
	if (wrong != NULL) {
		warnx("user: %s", wrong);
		return 1;
	}
	path = find_htpasswd(&args);
	if (path == NULL)
		return 1;
	if (!args.delete)
		hash = new_hash(&args);
	if (args.delete || hash != NULL)
		status = edit(path, args.user, hash);
	free(hash);
	free(path);
	return status;
}
