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

#include "frozen.h"
#include "htpasswd.h"
#include "log.h"
#include "secret.h"
#include "str.h"
#include "tls.h"

#include "messages.h"

#define MAX_FILE	(1 << 20)

static void
check_mode(const struct authd_opening *o, const char *key, const char *path,
    const struct stat *st)
{
	/* Certificates are for everybody. */
	if (!o->check && (st->st_mode & 07) != 0 &&
	    strstr(key, "certificate") == NULL &&
	    strcmp(key, "ldap.ca") != 0)
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

int
authd_file_open(struct authd_opening *o, const char *key, const char *path,
    struct stat *st)
{
	off_t	 max = strcmp(key, "htpasswd") == 0 ? HTPASSWD_MAX_SIZE :
		    MAX_FILE;
	int	 fd, copy = -1;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd != -1 && fstat(fd, st) == 0) {
		check_mode(o, key, path, st);
		copy = frozen_copy(fd, max);
	}
	if (fd != -1)
		close_keeping_errno(fd);
	if (copy != -1)
		return copy;
	if (o->check && (errno == ENOENT || errno == EACCES)) {
		fprintf(o->messages, "note: %s: %s: %s\n", key, path,
		    strerror(errno));
	} else if (errno == ENOENT && strcmp(key, "htpasswd") == 0) {
		fprintf(o->messages, "error: %s: %s: there is no such file: "
		    "make it with \"authctl passwd -p %s USER\"\n", key,
		    path, path);
		o->failed = true;
	} else {
		fprintf(o->messages, "error: %s: %s: %s\n", key, path,
		    strerror(errno));
		o->failed = true;
	}
	return -1;
}

static struct secret *
read_text(struct authd_opening *o, const char *key, const char *path, int fd)
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

static void
open_htpasswd(struct authd_files *files, const struct authd_conf *conf,
    struct authd_opening *o)
{
	struct htpasswd	*users;

	files->htpasswd = authd_file_open(o, "htpasswd", conf->htpasswd,
	    &files->htpasswd_from);
	if (files->htpasswd == -1)
		return;
	users = htpasswd_load(files->htpasswd, conf->htpasswd,
	    o->messages);
	if (users == NULL)
		o->failed = true;
	htpasswd_free(users);
}

static void
open_tls(struct authd_files *files, const struct authd_conf *conf,
    struct authd_opening *o)
{
	struct tls_conf		 tls;
	struct tls_context	*context;
	struct secret		*key, *chain;
	struct stat		 st;
	const char		*warning;
	char			 error[256];

	if (conf->tls_certificate == NULL)
		return;
	files->tls_certificate = authd_file_open(o, "tls.certificate",
	    conf->tls_certificate, &st);
	files->tls_key = authd_file_open(o, "tls.key", conf->tls_key, &st);
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

/* The bundle is public, and the verifiers open it anew by /dev/fd. */
static void
open_ldap(struct authd_files *files, const struct authd_conf *conf,
    struct authd_opening *o)
{
	struct stat	 st;

	if (conf->ldap.bind_password_file != NULL)
		files->ldap_password = authd_file_open(o,
		    "ldap.bind_password_file", conf->ldap.bind_password_file,
		    &st);
	if (conf->ldap.ca == NULL)
		return;
	files->ldap_ca = authd_file_open(o, "ldap.ca", conf->ldap.ca, &st);
	if (files->ldap_ca != -1 && fchmod(files->ldap_ca, 0444) == -1) {
		fprintf(o->messages, "error: ldap.ca: %s\n",
		    strerror(errno));
		o->failed = true;
	}
}

/*
 * Made when it is not there, unless all is only looked at.  No device and no
 * pipe: records of the audit log must never wait for somebody.
 */
static void
open_audit(struct authd_files *files, const struct authd_conf *conf,
    struct authd_opening *o)
{
	struct stat	 st;

	if (conf->log_audit == NULL)
		return;
	files->audit = open(conf->log_audit, O_WRONLY | O_APPEND | O_CLOEXEC |
	    O_NONBLOCK | O_NOCTTY | (o->check ? 0 : O_CREAT), 0640);
	if (files->audit != -1 && fstat(files->audit, &st) == 0 &&
	    S_ISREG(st.st_mode))
		return;
	if (o->check && files->audit == -1 &&
	    (errno == ENOENT || errno == EACCES))
		return;
	fprintf(o->messages, "error: log.audit: %s: %s\n", conf->log_audit,
	    files->audit == -1 ? strerror(errno) : "not a regular file");
	o->failed = true;
}

int
authd_files_open(struct authd_files *files, const struct authd_conf *conf,
    bool check, FILE *messages)
{
	struct authd_opening	 o = { messages, check, false };

	memset(files, 0, sizeof(*files));
	files->htpasswd = -1;
	files->tls_key = files->tls_certificate = -1;
	files->ldap_password = files->ldap_ca = files->audit = -1;
	authd_keys_open(&files->keys, conf, &o);
	if (conf_backend_is_used(conf, ROLE_VERIFIER))
		open_htpasswd(files, conf, &o);
	if (conf_backend_is_used(conf, ROLE_VERIFIER_LDAP))
		open_ldap(files, conf, &o);
	open_tls(files, conf, &o);
	open_audit(files, conf, &o);
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
	authd_keys_close(&files->keys);
	close_file(&files->htpasswd);
	close_file(&files->tls_key);
	close_file(&files->tls_certificate);
	close_file(&files->ldap_password);
	close_file(&files->ldap_ca);
	close_file(&files->audit);
}
