/* SPDX-License-Identifier: ISC */
/*
 * authctl key: makes keys that sign tokens.
 *
 * "new" writes a key and its self-signed certificate, "ca" a private CA, and
 * "rotate" a key whose certificate that CA signed, in place of the one
 * before: registries that trust the CA need no change.  new and ca never
 * overwrite a file: a key that is gone makes every registry refuse every
 * token.
 */
#include "authctl.h"

#include <sys/stat.h>

#include <assert.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "authctl_cert.h"
#include "jwks.h"
#include "str.h"

#define KEY_NAME	"token.key"
#define CERT_NAME	"token.crt"
#define OLD_NAME	"token.crt.old"	/* see authd_keys.c */
#define NEW_KEY_NAME	"token.key.new"
#define NEW_CERT_NAME	"token.crt.new"
#define CA_KEY_NAME	"token-ca.key"
#define CA_CERT_NAME	"token-ca.crt"
#define DAYS		3652		/* ten years */
#define ROTATED_DAYS	398
#define MAX_NAME	64		/* of a CN: ub-common-name */

struct key_args {
	const char	*algorithm;	/* NULL: not said */
	const char	*name;
	const char	*dirname, *ca_dirname;
	uint64_t	 days;
	int		 dir;
};

struct pair {
	EVP_PKEY	*pkey;
	X509		*cert;
};

static void
pair_done(struct pair *pair)
{
	X509_free(pair->cert);
	EVP_PKEY_free(pair->pkey);
}

/* ---- files ---- */

/* A new file, of exactly this mode; -1 with errno, EEXIST above all. */
static int
create(int dir, const char *name, mode_t mode)
{
	int	 fd;

	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd != -1 && fchmod(fd, mode) == -1) {
		unlinkat(dir, name, 0);
		close(fd);
		return -1;
	}
	return fd;
}

/* Write either the key or the certificate, and close fd. */
static int
write_pem(int fd, EVP_PKEY *pkey, X509 *cert)
{
	FILE	*file;
	int	 ok;

	file = fdopen(fd, "w");
	if (file == NULL) {
		close(fd);
		return -1;
	}
	ok = pkey != NULL ? PEM_write_PKCS8PrivateKey(file, pkey, NULL, NULL,
	    0, NULL, NULL) : PEM_write_X509(file, cert);
	ok = ok == 1 && fflush(file) == 0 && fsync(fd) == 0;
	if (fclose(file) == EOF)
		ok = 0;
	return ok == 1 ? 0 : -1;
}

/* Both files or none. */
static int
write_files(const struct key_args *args, const struct pair *pair,
    const char *key, const char *cert)
{
	int	 keyfd, certfd, bad;

	keyfd = create(args->dir, key, 0600);
	if (keyfd == -1) {
		warn("%s/%s", args->dirname, key);
		return -1;
	}
	certfd = create(args->dir, cert, 0644);
	if (certfd == -1) {
		warn("%s/%s", args->dirname, cert);
		close(keyfd);
		unlinkat(args->dir, key, 0);
		return -1;
	}
	bad = write_pem(keyfd, pair->pkey, NULL);
	if (write_pem(certfd, NULL, pair->cert) == -1 || bad == -1 ||
	    fsync(args->dir) == -1) {
		warn("%s", args->dirname);
		unlinkat(args->dir, key, 0);
		unlinkat(args->dir, cert, 0);
		return -1;
	}
	return 0;
}

/* Before the work of making a key; create() decides in the end. */
static int
refuse_existing(const struct key_args *args, const char *key,
    const char *cert)
{
	const char	*names[] = { key, cert };
	size_t		 i;

	for (i = 0; i < 2; i++) {
		if (faccessat(args->dir, names[i], F_OK,
		    AT_SYMLINK_NOFOLLOW) == 0) {
			warnx("%s/%s exists, and authctl overwrites "
			    "no key: -o DIR names another directory",
			    args->dirname, names[i]);
			return -1;
		}
	}
	return 0;
}

/* Without this, OpenSSL would ask at the terminal. */
static int
no_passphrase(char *dst, int size, int writing, void *arg)
{
	(void)dst;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static FILE *
open_at(int dir, const char *name)
{
	int	 fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	FILE	*file = fd == -1 ? NULL : fdopen(fd, "r");

	if (fd != -1 && file == NULL)
		close(fd);
	return file;
}

static X509 *
read_certificate(int dir, const char *name)
{
	FILE	*file = open_at(dir, name);
	X509	*cert;

	if (file == NULL)
		return NULL;
	cert = PEM_read_X509(file, NULL, no_passphrase, NULL);
	fclose(file);
	return cert;
}

static EVP_PKEY *
read_key(int dir, const char *name)
{
	FILE		*file = open_at(dir, name);
	EVP_PKEY	*pkey;

	if (file == NULL)
		return NULL;
	pkey = PEM_read_PrivateKey(file, NULL, no_passphrase, NULL);
	fclose(file);
	return pkey;
}

/* The CA of rotate; -1 after a message. */
static int
read_ca(const struct key_args *args, struct pair *ca)
{
	const char	*wrong = NULL;
	int		 dir;

	dir = open(args->ca_dirname, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1) {
		warn("%s", args->ca_dirname);
		return -1;
	}
	ca->cert = read_certificate(dir, CA_CERT_NAME);
	ca->pkey = read_key(dir, CA_KEY_NAME);
	close(dir);
	if (ca->cert == NULL || ca->pkey == NULL)
		wrong = "no token CA is there: make one with authctl key ca";
	else if (X509_check_private_key(ca->cert, ca->pkey) != 1)
		wrong = CA_KEY_NAME " is not the key of " CA_CERT_NAME;
	else if (X509_check_ca(ca->cert) != 1)
		wrong = CA_CERT_NAME " is no CA";
	else if (X509_cmp_current_time(X509_get0_notAfter(ca->cert)) < 0)
		wrong = CA_CERT_NAME " has expired";
	ERR_clear_error();
	if (wrong != NULL)
		warnx("%s: %s", args->ca_dirname, wrong);
	return wrong == NULL ? 0 : -1;
}

/* ---- the commands ---- */

/* A key and its certificate; -1 after a message. */
static int
make_pair(struct pair *pair, const char *algorithm,
    const struct cert_spec *spec)
{
	pair->pkey = authctl_make_key(algorithm);
	if (pair->pkey != NULL)
		pair->cert = authctl_make_certificate(pair->pkey, spec);
	if (pair->cert != NULL)
		return 0;
	warnx("no key could be made: %s",
	    ERR_reason_error_string(ERR_peek_last_error()));
	return -1;
}

static void
print_pair(const char *path, const struct pair *pair, const char *key,
    const char *cert)
{
	char	 kid[JWK_KID_SIZE];

	if (jwk_thumbprint(pair->pkey, kid, sizeof(kid)) == -1)
		return;
	printf("wrote %s/%s (secret: it stays on the host of authd)\n"
	    "wrote %s/%s (public)\n"
	    "key id: %s\n", path, key, path, cert, kid);
}

static void
print_settings(const char *path, const char *bundle)
{
	printf("\n"
	    "in authd.yml:\n"
	    "    token:\n"
	    "        key: %s/" KEY_NAME "\n"
	    "        certificate: %s/" CERT_NAME "\n"
	    "in the configuration of each registry, with a copy of %s:\n"
	    "    auth:\n"
	    "        token:\n"
	    "            rootcertbundle: %s/%s\n",
	    path, path, bundle, path, bundle);
}

static int
key_new(const struct key_args *args)
{
	struct cert_spec	 spec = { .cn = args->name,
				    .days = (int)args->days };
	struct pair		 pair = { NULL, NULL };
	char			 path[PATH_MAX];
	int			 ret = -1;

	if (refuse_existing(args, KEY_NAME, CERT_NAME) == 0 &&
	    make_pair(&pair, args->algorithm == NULL ? "rs256" :
	    args->algorithm, &spec) == 0 &&
	    write_files(args, &pair, KEY_NAME, CERT_NAME) == 0) {
		ret = 0;
		if (realpath(args->dirname, path) != NULL) {
			print_pair(path, &pair, KEY_NAME, CERT_NAME);
			print_settings(path, CERT_NAME);
		}
	}
	pair_done(&pair);
	return ret;
}

static int
key_ca(const struct key_args *args)
{
	struct cert_spec	 spec = { .cn = args->name,
				    .days = (int)args->days, .is_ca = true };
	struct pair		 pair = { NULL, NULL };
	char			 path[PATH_MAX];
	int			 ret = -1;

	if (refuse_existing(args, CA_KEY_NAME, CA_CERT_NAME) == 0 &&
	    make_pair(&pair, args->algorithm == NULL ? "rs256" :
	    args->algorithm, &spec) == 0 &&
	    write_files(args, &pair, CA_KEY_NAME, CA_CERT_NAME) == 0) {
		ret = 0;
		if (realpath(args->dirname, path) != NULL)
			printf("wrote %s/" CA_KEY_NAME " (secret: only "
			    "authctl key rotate needs it)\n"
			    "wrote %s/" CA_CERT_NAME " (public)\n"
			    "\n"
			    "in the configuration of each registry, with a "
			    "copy of " CA_CERT_NAME ":\n"
			    "    auth:\n"
			    "        token:\n"
			    "            rootcertbundle: %s/" CA_CERT_NAME "\n"
			    "then: authctl key rotate -o %s\n", path, path,
			    path, path);
	}
	pair_done(&pair);
	return ret;
}

/* The key's owner stays, where there was one and we may. */
static void
keep_owner(int dir)
{
	struct stat	 st;

	if (geteuid() == 0 && fstatat(dir, KEY_NAME, &st, 0) == 0 &&
	    fchownat(dir, NEW_KEY_NAME, st.st_uid, st.st_gid, 0) == -1)
		warn("%s", NEW_KEY_NAME);
}

/*
 * The old certificate stays beside the new one, dated now: authd publishes
 * it until the last token of its key has expired.
 */
static int
replace_files(const struct key_args *args)
{
	int	 dir = args->dir;

	keep_owner(dir);
	if (unlinkat(dir, OLD_NAME, 0) == -1 && errno != ENOENT)
		return -1;
	if (linkat(dir, CERT_NAME, dir, OLD_NAME, 0) == -1) {
		if (errno != ENOENT)
			return -1;
	} else if (utimensat(dir, OLD_NAME, NULL, 0) == -1)
		return -1;
	if (renameat(dir, NEW_CERT_NAME, dir, CERT_NAME) == -1 ||
	    renameat(dir, NEW_KEY_NAME, dir, KEY_NAME) == -1)
		return -1;
	return fsync(dir);
}

/*
 * An earlier rotation that was interrupted between its certificate and its
 * key: that key belongs to the certificate.  0: no, 1: it is finished now.
 */
static int
finish_rotation(const struct key_args *args)
{
	X509		*cert = read_certificate(args->dir, CERT_NAME);
	EVP_PKEY	*old = read_key(args->dir, KEY_NAME);
	EVP_PKEY	*new = read_key(args->dir, NEW_KEY_NAME);
	int		 ret = 0;

	if (cert != NULL && new != NULL &&
	    X509_check_private_key(cert, new) == 1 &&
	    (old == NULL || X509_check_private_key(cert, old) != 1)) {
		keep_owner(args->dir);
		ret = renameat(args->dir, NEW_KEY_NAME, args->dir,
		    KEY_NAME) == -1 || fsync(args->dir) == -1 ? -1 : 1;
	}
	ERR_clear_error();
	X509_free(cert);
	EVP_PKEY_free(old);
	EVP_PKEY_free(new);
	return ret;
}

/* As before, where it was not said. */
static const char *
choose_algorithm(const struct key_args *args)
{
	const char	*algorithm = args->algorithm;
	X509		*old;

	if (algorithm != NULL)
		return algorithm;
	if ((old = read_certificate(args->dir, CERT_NAME)) != NULL &&
	    X509_get0_pubkey(old) != NULL)
		algorithm = authctl_algorithm_of(X509_get0_pubkey(old));
	X509_free(old);
	ERR_clear_error();
	return algorithm == NULL ? "rs256" : algorithm;
}

static int
key_rotate(const struct key_args *args)
{
	struct pair		 ca = { NULL, NULL }, pair = { NULL, NULL };
	struct cert_spec	 spec = { .cn = args->name,
				    .days = (int)args->days };
	char			 path[PATH_MAX];
	int			 ret = -1;

	if ((ret = finish_rotation(args)) != 0) {
		if (ret == -1)
			warn("%s", args->dirname);
		else
			printf("an earlier rotation was interrupted, and is "
			    "finished now: its key is in force with the next "
			    "reload of authd (SIGHUP)\n");
		return ret == -1 ? -1 : 0;
	}
	ret = -1;
	if (read_ca(args, &ca) == -1)
		goto out;
	spec.ca_key = ca.pkey;
	spec.ca_cert = ca.cert;
	/* What an attempt that was interrupted has left. */
	unlinkat(args->dir, NEW_KEY_NAME, 0);
	unlinkat(args->dir, NEW_CERT_NAME, 0);
	if (make_pair(&pair, choose_algorithm(args), &spec) == -1 ||
	    write_files(args, &pair, NEW_KEY_NAME, NEW_CERT_NAME) == -1)
		goto out;
	if (replace_files(args) == -1) {
		warn("%s", args->dirname);
		goto out;
	}
	ret = 0;
	if (realpath(args->dirname, path) != NULL) {
		print_pair(path, &pair, KEY_NAME, CERT_NAME);
		printf("\nauthd takes it with its next reload (SIGHUP); "
		    "registries need no change\n");
	}
out:
	pair_done(&ca);
	pair_done(&pair);
	return ret;
}

static const struct {
	const char	*command;
	int		(*run)(const struct key_args *);
	const char	*options, *name;
	uint64_t	 days;
} commands[] = {
	{ "new", key_new, "a:d:n:o:", "authd token signing", DAYS },
	{ "ca", key_ca, "a:d:n:o:", "authd token CA", DAYS },
	{ "rotate", key_rotate, "a:c:d:n:o:", "authd token signing",
	    ROTATED_DAYS },
};
#define NCOMMANDS	(sizeof(commands) / sizeof(commands[0]))

/* -1 after a message. */
static int
set_option(struct key_args *args, int opt, const char *value)
{
	assert(value != NULL);		/* each option takes one */
	switch (opt) {
	case 'a':
		args->algorithm = value;
		if (strcmp(value, "rs256") == 0 ||
		    strcmp(value, "es256") == 0 || strcmp(value, "eddsa") == 0)
			return 0;
		warnx("-a ALGORITHM: rs256, es256 or eddsa");
		return -1;
	case 'c':
		args->ca_dirname = value;
		return 0;
	case 'd':
		if (str_parse_u64(value, strlen(value), 36500,
		    &args->days) == 0 && args->days > 0)
			return 0;
		warnx("-d DAYS: 1 to 36500");
		return -1;
	case 'n':
		args->name = value;
		if (*value != '\0' && strlen(value) <= MAX_NAME)
			return 0;
		warnx("-n NAME: 1 to %d bytes", MAX_NAME);
		return -1;
	case 'o':
		args->dirname = value;
		return 0;
	default:
		authctl_usage();
	}
}

int
authctl_key(const char *conf, int argc, char **argv)
{
	struct key_args	 args = { .dirname = "." };
	size_t		 i;
	int		 opt, ret;

	(void)conf;
	for (i = 0; argc >= 2 && i < NCOMMANDS; i++)
		if (strcmp(argv[1], commands[i].command) == 0)
			break;
	if (argc < 2 || i == NCOMMANDS)
		authctl_usage();
	args.name = commands[i].name;
	args.days = commands[i].days;
	optind = 2;
	while ((opt = getopt(argc, argv, commands[i].options)) != -1)
		if (set_option(&args, opt, optarg) == -1)
			return 1;
	if (optind != argc)
		authctl_usage();
	if (args.ca_dirname == NULL)
		args.ca_dirname = args.dirname;
	args.dir = open(args.dirname, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (args.dir == -1) {
		warn("%s", args.dirname);
		return 1;
	}
	ret = commands[i].run(&args);
	close(args.dir);
	return ret == -1 ? 1 : 0;
}
