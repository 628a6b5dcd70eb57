/* SPDX-License-Identifier: ISC */
/*
 * Configurations of docker_auth: any bytes.  What is made of those that can
 * be read must be a configuration of ours, with rules and all, unless a text
 * in it is one that we refuse; and no user may be without a hash.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "import.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE		*null;
	const struct conf_list	 services = { NULL, 0 };
	struct import_args	 args = { .name = "fuzz.yml",
				    .text = (const char *)data, .len = size,
				    .services = &services, .htpasswd = "h" };
	struct authd_conf	*conf;
	struct acl		*acl;
	char			*out = NULL, *users = NULL, *line, error[256];
	size_t			 outlen = 0, userslen = 0;

	if (null == NULL && (null = fopen("/dev/null", "w")) == NULL)
		abort();
	args.out = open_memstream(&out, &outlen);
	args.users = open_memstream(&users, &userslen);
	args.report = null;
	if (args.out == NULL || args.users == NULL)
		abort();
	if (import_docker_auth(&args) < -1)
		abort();
	fclose(args.out);
	fclose(args.users);
	for (line = strtok(users, "\n"); line != NULL;
	    line = strtok(NULL, "\n"))
		if (strstr(line, ":$2") == NULL || *line == ':')
			abort();
	conf = conf_parse("out.yml", out, outlen, null);
	if (conf != NULL) {
		acl = conf_acl(conf, error, sizeof(error));
		if (acl == NULL)
			abort();
		acl_free(acl);
	}
	conf_free(conf);
	free(out);
	free(users);
	return 0;
}
