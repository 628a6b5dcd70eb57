/* SPDX-License-Identifier: ISC */
/*
 * authctl import: a configuration of docker_auth as authd.yml, on standard
 * output, and its users as an htpasswd file.
 */
#include "authctl.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "import.h"

#define MAX_SERVICES	64

struct made {
	char	*text;
	size_t	 len;
	FILE	*file;
};

static void
made_open(struct made *made)
{
	memset(made, 0, sizeof(*made));
	if ((made->file = open_memstream(&made->text, &made->len)) == NULL)
		err(1, NULL);
}

static char *
read_file(const char *path, size_t *len)
{
	FILE	*file = fopen(path, "re");
	char	*text;

	if (file == NULL || (text = malloc(YAMLDOC_MAX_SIZE + 1)) == NULL)
		err(1, "%s", path);
	*len = fread(text, 1, YAMLDOC_MAX_SIZE + 1, file);
	if (ferror(file))
		err(1, "%s", path);
	fclose(file);
	return text;
}

/* A file of its own, which must not be there yet. */
static int
write_users(const char *path, const struct made *users)
{
	int	 fd;
	bool	 bad;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1) {
		warn("%s", path);
		return -1;
	}
	bad = write(fd, users->text, users->len) != (ssize_t)users->len ||
	    fsync(fd) == -1;
	if (bad)
		warn("%s", path);
	close(fd);
	return bad ? -1 : 0;
}

static void
print_users(const struct made *users)
{
	const char	*line = users->text, *end;

	if (users->len == 0)
		return;
	printf("\n# The htpasswd file:\n");
	while ((end = strchr(line, '\n')) != NULL) {
		printf("# %.*s\n", (int)(end - line), line);
		line = end + 1;
	}
}

/* What authd would refuse is not handed out. */
static int
check(const char *path, const struct made *conf)
{
	struct authd_conf	*parsed;

	parsed = conf_parse("authd.yml", conf->text, conf->len, stderr);
	if (parsed == NULL)
		warnx("%s: what would be made of it is no configuration",
		    path);
	conf_free(parsed);
	return parsed == NULL ? -1 : 0;
}

static int
import_file(const char *path, const char *htpasswd,
    const struct conf_list *services)
{
	struct import_args	 args = { .name = path, .services = services,
				    .report = stderr };
	struct made		 conf, users;
	size_t			 len;
	char			*text = read_file(path, &len);
	int			 left, status = 1;

	made_open(&conf);
	made_open(&users);
	args.text = text;
	args.len = len;
	args.htpasswd = htpasswd != NULL ? htpasswd : "/etc/authd.htpasswd";
	args.out = conf.file;
	args.users = users.file;
	left = import_docker_auth(&args);
	fclose(conf.file);
	fclose(users.file);
	if (left != -1 && check(path, &conf) == 0 &&
	    (htpasswd == NULL || write_users(htpasswd, &users) == 0)) {
		fwrite(conf.text, 1, conf.len, stdout);
		if (htpasswd == NULL)
			print_users(&users);
		fprintf(stderr, "%s: %d not carried over\n", path, left);
		status = 0;
	}
	free(conf.text);
	free(users.text);
	free(text);
	return status;
}

int
authctl_import(const char *conf, int argc, char **argv)
{
	char			*items[MAX_SERVICES];
	struct conf_list	 services = { items, 0 };
	const char		*htpasswd = NULL;
	int			 opt;

	(void)conf;
	while ((opt = getopt(argc, argv, "p:s:")) != -1) {
		if (opt == 'p')
			htpasswd = optarg;
		else if (opt == 's' && services.n < MAX_SERVICES)
			items[services.n++] = optarg;
		else
			authctl_usage();
	}
	if (argc - optind != 1)
		authctl_usage();
	return import_file(argv[optind], htpasswd, &services);
}
