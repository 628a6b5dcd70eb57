/* SPDX-License-Identifier: ISC */
/*
 * Opens key, certificates and htpasswd, and refuses what a child could not
 * use, so that a mistake is told at start and not by a child that dies.
 * Runs in the parent; keys are forgotten again at once.
 */
#include "authd_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "log.h"
#include "secret.h"
#include "str.h"
#include "tls.h"

#include "authd_copy.h"
#include "claims.h"
#include "cred.h"

#define MAX_FILE	(1 << 20)

/* How one opening goes on. */
struct opening {
	FILE	*messages;
	bool	 check;
	bool	 failed;
};

static void
check_mode(const struct opening *o, const char *key, const char *path,
    const struct stat *st)
{
	/* Certificates are for everybody. */
	if (!o->check && (st->st_mode & 07) != 0 &&
	    strstr(key, "certificate") == NULL)
		fprintf(o->messages, "warning: %s: %s: everybody may read "
		    "it; chmod 600 %s\n", key, path, path);
}

static void
close_keeping_errno(int fd)
{
	int	 error = errno;

	close(fd);
	errno = error;
}

/* A copy that stays as it is; -1 after a message. */
static int
open_file(struct opening *o, const char *key, const char *path,
    struct stat *st)
{
	off_t	 max = strcmp(key, "htpasswd") == 0 ? CRED_HTPASSWD_MAX :
		    MAX_FILE;
	int	 fd, copy = -1;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd != -1 && fstat(fd, st) == 0) {
		check_mode(o, key, path, st);
		copy = authd_copy(fd, max);
	}
	if (fd != -1)
		close_keeping_errno(fd);
	if (copy != -1)
		return copy;
	if (o->check && (errno == ENOENT || errno == EACCES)) {
		fprintf(o->messages, "note: %s: %s: %s\n", key, path,
		    strerror(errno));
	} else {
		fprintf(o->messages, "error: %s: %s: %s\n", key, path,
		    strerror(errno));
		o->failed = true;
	}
	return -1;
}

static struct secret *
read_text(struct opening *o, const char *key, const char *path, int fd)
{
	struct secret	*text;

	if (fd == -1)
		return NULL;
	if ((text = secret_read(fd, MAX_FILE)) == NULL) {
		fprintf(o->messages, "error: %s: %s: %s\n", key, path,
		    strerror(errno));
		o->failed = true;
	}
	return text;
}

/* The key must sign and the certificate be its own. */
static void
open_token_key(struct authd_files *files, const struct authd_conf *conf,
    struct opening *o)
{
	struct secret		*key, *chain;
	struct claims_key	*pair;
	struct buf		 jwks;
	struct stat		 st;
	char			 error[256];

	files->key = open_file(o, "token.key", conf->token_key, &st);
	files->certificate = open_file(o, "token.certificate",
	    conf->token_certificate, &st);
	key = read_text(o, "token.key", conf->token_key, files->key);
	chain = read_text(o, "token.certificate", conf->token_certificate,
	    files->certificate);
	if (key != NULL && chain != NULL) {
		buf_init(&jwks, 60000);
		pair = claims_key_new(secret_data(key), secret_len(key),
		    secret_data(chain), secret_len(chain), error,
		    sizeof(error));
		if (pair == NULL || claims_key_jwks(pair, &jwks) == -1 ||
		    (files->jwks = buf_steal(&jwks, NULL)) == NULL) {
			fprintf(o->messages, "error: token.key: %s: %s\n",
			    conf->token_key, pair == NULL ? error :
			    "too large");
			o->failed = true;
		}
		claims_key_free(pair);
		buf_done(&jwks);
	}
	secret_free(key);
	secret_free(chain);
}

static void
open_htpasswd(struct authd_files *files, const struct authd_conf *conf,
    struct opening *o)
{
	void	*users;

	files->htpasswd = open_file(o, "htpasswd", conf->htpasswd,
	    &files->htpasswd_from);
	if (files->htpasswd == -1)
		return;
	users = cred_htpasswd_load(files->htpasswd, conf->htpasswd,
	    o->messages);
	if (users == NULL)
		o->failed = true;
	cred_htpasswd.free(users);
}

static void
open_tls(struct authd_files *files, const struct authd_conf *conf,
    struct opening *o)
{
	struct tls_conf		 tls;
	struct tls_context	*context;
	struct secret		*key, *chain;
	struct stat		 st;
	const char		*warning;
	char			 error[256];

	if (conf->tls_certificate == NULL)
		return;
	files->tls_certificate = open_file(o, "tls.certificate",
	    conf->tls_certificate, &st);
	files->tls_key = open_file(o, "tls.key", conf->tls_key, &st);
	chain = read_text(o, "tls.certificate", conf->tls_certificate,
	    files->tls_certificate);
	key = read_text(o, "tls.key", conf->tls_key, files->tls_key);
	if (key != NULL && chain != NULL) {
		memset(&tls, 0, sizeof(tls));
		tls.certificate = secret_data(chain);
		tls.certificate_len = secret_len(chain);
		tls.key = secret_data(key);
		tls.key_len = secret_len(key);
		tls.minimum = conf->tls_minimum;
		context = tls_context_new(&tls, error, sizeof(error));
		if (context == NULL) {
			fprintf(o->messages, "error: tls: %s\n", error);
			o->failed = true;
		} else if ((warning = tls_context_warning(context)) != NULL)
			fprintf(o->messages, "warning: tls: %s\n", warning);
		tls_context_free(context);
	}
	secret_free(key);
	secret_free(chain);
}

int
authd_files_open(struct authd_files *files, const struct authd_conf *conf,
    bool check, FILE *messages)
{
	struct opening	 o = { messages, check, false };

	memset(files, 0, sizeof(*files));
	files->key = files->certificate = files->htpasswd = -1;
	files->tls_key = files->tls_certificate = -1;
	open_token_key(files, conf, &o);
	open_htpasswd(files, conf, &o);
	open_tls(files, conf, &o);
	return o.failed ? -1 : 0;
}

static void
close_file(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

void
authd_files_close(struct authd_files *files)
{
	close_file(&files->key);
	close_file(&files->certificate);
	close_file(&files->htpasswd);
	close_file(&files->tls_key);
	close_file(&files->tls_certificate);
	free(files->jwks);
	files->jwks = NULL;
}

void
authd_log_messages(char *text)
{
	static const char	 error[] = "error: ", warning[] = "warning: ";
	char			*line;

	while ((line = strsep(&text, "\n")) != NULL) {
		if (str_starts(line, error))
			log_error("%s", line + sizeof(error) - 1);
		else if (str_starts(line, warning))
			log_warnx("%s", line + sizeof(warning) - 1);
		else if (*line != '\0')
			log_warnx("%s", line);
	}
}
