/* SPDX-License-Identifier: ISC */
/*
 * authctl key new: a key that signs tokens, and its self-signed certificate.
 *
 * The certificate is no CA: registryd, and distribution 2.8 and 3, take a
 * self-signed leaf that is itself in rootcertbundle, and what is no CA
 * vouches for nothing but its own key.  It never overwrites a file: a key
 * that is gone makes every registry refuse every token.
 */
#include "authctl.h"

#include <sys/stat.h>

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

#include "jwks.h"
#include "random.h"

#define KEY_BITS	2048		/* RS256: what every verifier takes */
#define KEY_NAME	"token.key"
#define CERT_NAME	"token.crt"
#define CERT_DAYS	3652		/* ten years */
#define CERT_BEFORE	3600		/* s: a clock may be behind */
#define CERT_SERIAL	16		/* bytes */
#define CERT_MAX_NAME	64		/* of a CN: ub-common-name */

struct key_args {
	const char	*dir;
	const char	*name;
};

static void
parse_args(struct key_args *args, int argc, char **argv)
{
	int	 opt;

	if (argc < 2 || strcmp(argv[1], "new") != 0)
		authctl_usage();
	optind = 2;
	while ((opt = getopt(argc, argv, "n:o:")) != -1) {
		switch (opt) {
		case 'n':
			args->name = optarg;
			break;
		case 'o':
			args->dir = optarg;
			break;
		default:
			authctl_usage();
		}
	}
	if (optind != argc)
		authctl_usage();
}

static int
add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION	*ext;
	X509V3_CTX	 ctx;
	int		 ok;

	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = ext != NULL && X509_add_ext(cert, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok ? 0 : -1;
}

static int
set_serial(X509 *cert)
{
	unsigned char	 bytes[CERT_SERIAL];
	BIGNUM		*number;
	int		 ok;

	random_bytes(bytes, sizeof(bytes));
	bytes[0] &= 0x7f;
	bytes[0] |= 0x40;
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	ok = number != NULL && BN_to_ASN1_INTEGER(number,
	    X509_get_serialNumber(cert)) != NULL;
	BN_free(number);
	return ok ? 0 : -1;
}

static X509 *
make_certificate(EVP_PKEY *pkey, const char *cn)
{
	X509_NAME	*name;
	X509		*cert;

	cert = X509_new();
	if (cert == NULL)
		return NULL;
	name = X509_get_subject_name(cert);
	if (X509_set_version(cert, X509_VERSION_3) == 1 &&
	    set_serial(cert) == 0 &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
	    (const unsigned char *)cn, -1, -1, 0) == 1 &&
	    X509_set_issuer_name(cert, name) == 1 &&
	    X509_gmtime_adj(X509_getm_notBefore(cert), -CERT_BEFORE) != NULL &&
	    X509_time_adj_ex(X509_getm_notAfter(cert), CERT_DAYS, 0,
	    NULL) != NULL && X509_set_pubkey(cert, pkey) == 1 &&
	    add_extension(cert, NID_basic_constraints,
	    "critical,CA:FALSE") == 0 && add_extension(cert, NID_key_usage,
	    "critical,digitalSignature") == 0 && add_extension(cert,
	    NID_subject_key_identifier, "hash") == 0 &&
	    X509_sign(cert, pkey, EVP_sha256()) > 0)
		return cert;
	X509_free(cert);
	return NULL;
}

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
write_files(int dir, const char *dirname, EVP_PKEY *pkey, X509 *cert)
{
	int	 keyfd, certfd, bad;

	keyfd = create(dir, KEY_NAME, 0600);
	if (keyfd == -1) {
		warn("%s/%s", dirname, KEY_NAME);
		return -1;
	}
	certfd = create(dir, CERT_NAME, 0644);
	if (certfd == -1) {
		warn("%s/%s", dirname, CERT_NAME);
		close(keyfd);
		unlinkat(dir, KEY_NAME, 0);
		return -1;
	}
	bad = write_pem(keyfd, pkey, NULL);
	if (write_pem(certfd, NULL, cert) == -1 || bad == -1 ||
	    fsync(dir) == -1) {
		warn("%s", dirname);
		unlinkat(dir, KEY_NAME, 0);
		unlinkat(dir, CERT_NAME, 0);
		return -1;
	}
	return 0;
}

static void
print_next_steps(const char *dir, EVP_PKEY *pkey)
{
	char	 path[PATH_MAX], kid[JWK_KID_SIZE];

	if (realpath(dir, path) == NULL ||
	    jwk_thumbprint(pkey, kid, sizeof(kid)) == -1)
		return;
	printf("wrote %s/%s (secret: it stays on the host of authd)\n"
	    "wrote %s/%s (public), valid for ten years\n"
	    "key id: %s\n"
	    "\n"
	    "in authd.yml:\n"
	    "    token:\n"
	    "        key: %s/%s\n"
	    "        certificate: %s/%s\n"
	    "in the configuration of each registry, with a copy of %s:\n"
	    "    auth:\n"
	    "        token:\n"
	    "            rootcertbundle: %s/%s\n",
	    path, KEY_NAME, path, CERT_NAME, kid, path, KEY_NAME, path,
	    CERT_NAME, CERT_NAME, path, CERT_NAME);
}

/* Before the work of making a key; create() decides in the end. */
static int
refuse_existing(int dir, const char *dirname)
{
	static const char *const names[] = { KEY_NAME, CERT_NAME };
	size_t	 i;

	for (i = 0; i < 2; i++) {
		if (faccessat(dir, names[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
			warnx("%s/%s exists, and authctl overwrites "
			    "no key: -o DIR names another directory", dirname,
			    names[i]);
			return -1;
		}
	}
	return 0;
}

int
authctl_key(const char *conf, int argc, char **argv)
{
	struct key_args	 args = { ".", "authd token signing" };
	EVP_PKEY	*pkey = NULL;
	X509		*cert = NULL;
	int		 dir, status = 1;

	(void)conf;
	parse_args(&args, argc, argv);
	if (*args.name == '\0' || strlen(args.name) > CERT_MAX_NAME) {
		warnx("-n NAME: 1 to %d bytes", CERT_MAX_NAME);
		return 1;
	}
	dir = open(args.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1) {
		warn("%s", args.dir);
		return 1;
	}
	if (refuse_existing(dir, args.dir) == -1)
		goto out;
	pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)KEY_BITS);
	if (pkey != NULL)
		cert = make_certificate(pkey, args.name);
	if (cert == NULL) {
		warnx("no key could be made: %s",
		    ERR_reason_error_string(ERR_peek_last_error()));
		goto out;
	}
	if (write_files(dir, args.dir, pkey, cert) == -1)
		goto out;
	print_next_steps(args.dir, pkey);
	status = 0;
out:
	X509_free(cert);
	EVP_PKEY_free(pkey);
	close(dir);
	return status;
}
