/* SPDX-License-Identifier: ISC */
/*
 * What the commands of registryctl begin and end with: the configuration, the
 * store, exit status.
 */
#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "layout.h"
#include "reference.h"
#include "registryctl.h"
#include "sysfs.h"

#define STORE_UMASK	027

extern char **environ;

const struct registry_conf *
ctl_conf(struct ctl *ctl)
{
	if (ctl->conf == NULL &&
	    (ctl->conf = conf_load(ctl->file, environ, stderr)) == NULL)
		exit(CTL_FAILED);
	return ctl->conf;
}

static int
open_root(const struct registry_conf *conf)
{
	int fd;

	sysfs_keep_atimes();
	fd = open(conf->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1)
		return fd;
	warnx("%s: %s%s", conf->root, strerror(errno), errno == EACCES ?
	    ": run this as root or as the user of registryd" : "");
	exit(CTL_FAILED);
}

/* What a stranger may not see is not damage: nor is it empty. */
static void
check_stranger(const struct registry_conf *conf, int root)
{
	static const char *const paths[] = { LAYOUT_BLOBS,
	    LAYOUT_REPOSITORIES, LAYOUT_OWN };
	struct stat st;
	size_t i;

	if (geteuid() == 0 || (fstat(root, &st) == 0 &&
	    st.st_uid == geteuid()))
		return;
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (faccessat(root, paths[i], R_OK | X_OK, AT_EACCESS) == 0 ||
		    errno != EACCES)
			continue;
		warnx("%s/%s: %s: run this as root or as the user of "
		    "registryd", conf->root, paths[i], strerror(errno));
		exit(CTL_FAILED);
	}
}

struct store *
ctl_store(struct ctl *ctl)
{
	const struct registry_conf *conf = ctl_conf(ctl);
	int fd;

	if (ctl->store != NULL)
		return ctl->store;
	fd = open_root(conf);
	check_stranger(conf, fd);
	ctl->store = store_fs_new(fd, conf->root, false, STORE_FULL);
	if (ctl->store == NULL) {
		warnx("%s: %s", conf->root, strerror(errno));
		exit(CTL_FAILED);
	}
	return ctl->store;
}

/* Files that another than the owner makes could not be used by registryd. */
static void
become_owner(const char *path, int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1) {
		warnx("%s: %s", path, strerror(errno));
		exit(CTL_FAILED);
	}
	if (st.st_uid == geteuid())
		return;
	if (geteuid() != 0) {
		warnx("%s belongs to user %u: run this as root or as that "
		    "user, since registryd could not use what you leave there",
		    path, (unsigned)st.st_uid);
		exit(CTL_FAILED);
	}
	if (setgroups(1, &st.st_gid) == -1 || setgid(st.st_gid) == -1 ||
	    setuid(st.st_uid) == -1) {
		warnx("becoming user %u: %s", (unsigned)st.st_uid,
		    strerror(errno));
		exit(CTL_FAILED);
	}
}

static struct store *
open_writable(struct ctl *ctl, enum store_durability durability)
{
	const struct registry_conf *conf = ctl_conf(ctl);
	int fd;

	if (ctl->writable)
		return ctl->store;
	if (conf->readonly) {
		warnx("%s: the configuration says read-only "
		    "(storage.maintenance.readonly)", conf->root);
		exit(CTL_FAILED);
	}
	fd = open_root(conf);
	become_owner(conf->root, fd);
	umask(STORE_UMASK);
	store_free(ctl->store);
	ctl->store = store_fs_new(fd, conf->root, true, durability);
	if (ctl->store == NULL) {
		warnx("%s: %s", conf->root, strerror(errno));
		exit(CTL_FAILED);
	}
	ctl->writable = true;
	return ctl->store;
}

struct store *
ctl_store_writable(struct ctl *ctl)
{
	return open_writable(ctl, ctl_conf(ctl)->durability);
}

struct store *
ctl_store_collect(struct ctl *ctl)
{
	return open_writable(ctl, ctl_conf(ctl)->durability == STORE_NONE ?
	    STORE_NONE : STORE_BATCH);
}

void
ctl_repository(const char *name)
{
	char text[512];

	if (repo_name_ok(name))
		return;
	warnx("%s: not the name of a repository", ctl_vis(text,
	    sizeof(text), name));
	exit(CTL_USAGE);
}

enum ctl_status
ctl_fail(const char *what, enum store_result r)
{
	warnx("%s: %s", what, store_result_text(r));
	return CTL_FAILED;
}

enum ctl_status
ctl_finish(enum ctl_status status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	warnx("standard output: %s", strerror(errno));
	return CTL_FAILED;
}

int
ctl_option(struct ctl *ctl, int argc, char **argv,
    const struct option *longopts)
{
	int ch;

	while ((ch = getopt_long(argc, argv, "", longopts, NULL)) == 'j')
		ctl->json = true;
	if (ch == '?')
		ctl_usage();
	return ch;
}

void
ctl_close(struct ctl *ctl)
{
	control_close(ctl->client);
	store_free(ctl->store);
	conf_free(ctl->conf);
}
