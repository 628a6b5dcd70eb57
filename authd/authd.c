/* SPDX-License-Identifier: ISC */
/*
 * authd's parent: reads the configuration, opens what it names, starts the
 * children and looks after them.  It is root when started as root, and so
 * never touches a byte that came from a peer.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "log.h"
#include "loop.h"
#include "proc.h"
#include "random.h"
#include "sandbox.h"
#include "supervise.h"

#include "authd_files.h"
#include "authd_generation.h"
#include "broker.h"
#include "conf.h"
#include "signer.h"
#include "vault.h"
#include "verifier.h"
#include "worker.h"

#ifndef SYSCONFDIR
#define SYSCONFDIR	"/etc"
#endif

struct options {
	const char	*conf;
	bool		 check, verbose;
	struct proc_args proc;
};

static const int	 signals[] = { SIGHUP, SIGINT, SIGTERM };
#define NSIGNALS	(sizeof(signals) / sizeof(signals[0]))

struct authd {
	struct authd_parent	 parent;
	const char		*conf_path;
	struct loop_signal	*watched[NSIGNALS];
};

static const struct {
	const char	*name;
	int		(*main)(const struct proc_args *);
} roles[] = {
	{ "worker", worker_main },
	{ "broker", broker_main },
	{ "verifier", verifier_main },
	{ "verifier-ldap", verifier_main },
	{ "verifier-pam", verifier_main },
	{ "vault", vault_main },
	{ "signer", signer_main }
};

static void
usage(void)
{
	fprintf(stderr, "usage: authd [-nv] [-f file]\n"
	    "       authd --version\n");
	exit(2);
}

static void
parse_options(struct options *opts, int argc, char *argv[])
{
	static const struct option	 longopts[] = {
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	int				 c;

	memset(opts, 0, sizeof(*opts));
	opts->conf = SYSCONFDIR "/authd.yml";
	while ((c = getopt_long(argc, argv, "f:nv" PROC_GETOPT, longopts,
	    NULL)) != -1) {
		switch (c) {
		case 'f':
			opts->conf = optarg;
			break;
		case 'n':
			opts->check = true;
			break;
		case 'v':
			opts->verbose = true;
			break;
		case 'V':
			printf("authd %s\n", VERSION);
			exit(0);
		default:
			if (proc_getopt(&opts->proc, c, optarg) == -1)
				usage();
		}
	}
	if (optind != argc)
		usage();
}

static int
child_main(const struct proc_args *args)
{
	size_t	 i;

	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(roles[i].name, args->role) == 0)
			return roles[i].main(args);
	usage();
	return 2;
}

/* -n: what is wrong, and with -v what the configuration comes to. */
static int
check_main(const struct options *opts)
{
	struct authd_conf	*conf;
	struct authd_files	 files;
	int			 error;

	if ((conf = conf_load(opts->conf, stderr)) == NULL)
		return 1;
	error = authd_files_open(&files, conf, true, stderr);
	authd_files_close(&files);
	if (conf_htgroup_load(conf, true, NULL, stderr) == -1 ||
	    conf_expect_check(conf, stderr) == -1)
		error = -1;
	if (error == 0 && opts->verbose)
		conf_print(conf, stdout);
	else if (error == 0)
		fprintf(stderr, "%s: configuration ok\n", opts->conf);
	conf_free(conf);
	return error == 0 ? 0 : 1;
}

/* ---- signals ---- */

static void
reload(struct authd *authd)
{
	struct authd_conf	*conf;
	struct authd_generation	*gen = NULL;
	enum log_level		 level;
	enum log_format		 format;
	char			*text = NULL;
	size_t			 len = 0;
	FILE			*messages;

	if ((messages = open_memstream(&text, &len)) == NULL) {
		log_warn("reload");
		return;
	}
	if ((conf = conf_load(authd->conf_path, messages)) != NULL) {
		level = conf->log_level;
		format = conf->log_format;
		gen = authd_generation_new(&authd->parent, conf, messages);
	}
	fclose(messages);
	log_messages(text);
	free(text);
	if (gen == NULL) {
		log_error("%s is refused: the old configuration stays",
		    authd->conf_path);
		return;
	}
	if (authd_generation_start(gen) == -1) {
		log_warn("reload: the old configuration stays");
		authd_generation_free(gen);
		return;
	}
	log_configure(authd->parent.verbose ? LOG_LEVEL_DEBUG : level,
	    format);
}

static void
on_signal(int signo, void *arg)
{
	struct authd	*authd = arg;

	if (signo == SIGHUP) {
		log_info("reloading %s", authd->conf_path);
		reload(authd);
	} else {
		log_info("stopping");
		supervise_drain(authd->parent.supervise);
	}
}

static void
on_ready(void *arg)
{
	(void)arg;
	log_info("ready");
}

static void
on_empty(void *arg)
{
	loop_stop(((struct authd *)arg)->parent.loop);
}

/* ---- the parent ---- */

static void
watch_signals(struct authd *authd)
{
	size_t	 i;

	for (i = 0; i < NSIGNALS; i++) {
		authd->watched[i] = loop_signal_new(authd->parent.loop,
		    signals[i], on_signal, authd);
		if (authd->watched[i] == NULL)
			fatal("signals");
	}
	signal(SIGPIPE, SIG_IGN);
}

static void
add_log_fields(const struct conf_pairs *fields)
{
	size_t	 i;

	for (i = 0; i < fields->n; i++)
		log_add_static_field(fields->items[i].name,
		    fields->items[i].value);
}

static int
parent_main(const struct options *opts, const char *argv0)
{
	struct authd		 authd;
	struct authd_conf	*conf;
	struct authd_generation	*gen;
	size_t			 i;

	compat_close_from(STDERR_FILENO + 1);	/* whatever we inherited */
	memset(&authd, 0, sizeof(authd));
	authd.conf_path = opts->conf;
	authd.parent.verbose = opts->verbose;
	authd.parent.program = supervise_self(argv0);
	if ((conf = conf_load(opts->conf, stderr)) == NULL)
		return 1;
	log_configure(opts->verbose ? LOG_LEVEL_DEBUG : conf->log_level,
	    conf->log_format);
	add_log_fields(&conf->log_fields);
	random_bytes(authd.parent.ticket_key,
	    sizeof(authd.parent.ticket_key));
	if ((authd.parent.loop = loop_new()) == NULL)
		fatal("event loop");
	if ((gen = authd_generation_new(&authd.parent, conf, stderr)) == NULL)
		return 1;
	watch_signals(&authd);
	authd.parent.supervise = supervise_new(authd.parent.loop, NULL, 0,
	    on_ready, on_empty, &authd);
	log_info("authd %s starts, sandbox %s", VERSION, sandbox_name());
	if (authd_generation_start(gen) == -1)
		fatal("start");
	sandbox_enter(SANDBOX_PARENT);
	if (loop_run(authd.parent.loop) == -1)
		fatal("event loop");
	for (i = 0; i < NSIGNALS; i++)
		loop_signal_free(authd.watched[i]);
	supervise_free(authd.parent.supervise);
	loop_free(authd.parent.loop);
	log_info("stopped");
	return 0;
}

int
main(int argc, char *argv[])
{
	struct options	 opts;

	proc_fill_fds();
	log_init("authd");
	parse_options(&opts, argc, argv);
	if (*opts.proc.role != '\0')
		return child_main(&opts.proc);
	if (opts.check)
		return check_main(&opts);
	return parent_main(&opts, argv[0]);
}
