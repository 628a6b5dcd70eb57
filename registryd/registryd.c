/* SPDX-License-Identifier: ISC */
/*
 * The parent of registryd: reads the configuration, opens what it names,
 * starts and supervises the others, reloads and ends.  It never touches a
 * byte that a client sent.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "collector.h"
#include "compat.h"
#include "conf.h"
#include "keeper.h"
#include "listener.h"
#include "log.h"
#include "loop.h"
#include "messages.h"
#include "monitor.h"
#include "privdrop.h"
#include "proc.h"
#include "random.h"
#include "restarts.h"
#include "sandbox.h"
#include "setup.h"
#include "supervise.h"
#include "tls.h"
#include "verifier.h"
#include "worker.h"

#define READY_TIMEOUT_MS	30000
#define DRAIN_GRACE_MS		2000	/* beyond http.draintimeout */
#define CONTROL_RETRY_MS	5000	/* while another has the socket */

extern char **environ;

struct options {
	const char	*file;
	bool		 check;			/* -n */
	bool		 verbose;		/* -v */
};

struct parent {
	struct loop	*loop;
	struct supervise *sup;
	struct options	 options;
	const char	*program;
	struct setup	*current;	/* the last that got ready */
	struct setup	*next;		/* being tried; NULL when none is */
	unsigned char	 ticket_key[TLS_TICKET_KEY_SIZE];
	struct restarts	 restarts;
	struct loop_timer *control_timer;
};

static _Noreturn void
usage(void)
{
	fprintf(stderr, "usage: registryd [-nv] [-f file]\n"
	    "       registryd --version\n");
	exit(2);
}

/* ---- configurations, one after the other ---- */

static struct registry_conf *
load(const struct options *options)
{
	struct registry_conf *conf;

	conf = conf_load(options->file, environ, stderr);
	if (conf != NULL && options->verbose)
		conf->log_level = LOG_LEVEL_DEBUG;
	return conf;
}

/* ---- what happens to the children ---- */

static int
send_restarts(struct msg_chan *chan, const struct parent *p)
{
	struct msg_out out;

	msg_begin(&out, MSG_RESTARTS, 0);
	restarts_put(&out, &p->restarts);
	return msg_send(chan, &out);
}

static void
tell_restarts(struct msg_chan *chan, void *conf_arg, void *arg)
{
	(void)conf_arg;
	if (send_restarts(chan, arg) == -1 && errno != EPIPE)
		log_warn("restarts to the collector");
}

static void
on_restart(unsigned role, int status, void *arg)
{
	const struct setup *setup = arg;
	struct parent *p = setup->owner;

	restarts_note(&p->restarts, role, status, clock_monotonic_ms(),
	    clock_wall());
	supervise_each(p->sup, ROLE_COLLECTOR, tell_restarts, p);
}

static int
on_configure(struct msg_chan *chan, unsigned role, unsigned instance,
    void *arg)
{
	const struct setup *setup = arg;
	const struct parent *p = setup->owner;

	(void)instance;
	if (setup_send(setup, chan, role, p->ticket_key) == -1)
		return -1;
	return role == ROLE_COLLECTOR ? send_restarts(chan, p) : 0;
}

/* The generation that used it has ended. */
static void
on_setup_unused(void *arg)
{
	struct setup *setup = arg;
	struct parent *p = setup->owner;

	if (p->next == setup)
		p->next = NULL;
	if (p->current == setup)
		p->current = NULL;
	setup_free(setup);
}

static void
log_sockets(const struct setup_sockets *sockets, const char *what)
{
	struct log_field field = { "address", NULL };
	char name[128];
	size_t i;

	for (i = 0; i < sockets->n && !sockets->inherited; i++) {
		field.value = listener_name(sockets->fds[i], name,
		    sizeof(name));
		log_event(LOG_LEVEL_INFO, what, &field, 1);
	}
}

/* ---- the htpasswd file changes ---- */

static void
send_users(struct msg_chan *chan, void *conf_arg, void *arg)
{
	const struct setup *setup = arg;

	if (conf_arg == setup && (setup_users_send(setup->users, chan) == -1 ||
	    msg_send_empty(chan, MSG_CONF_END, 0) == -1))
		log_warn("users to verifier %u", msg_chan_instance(chan));
}

static void
on_users_changed(void *arg)
{
	struct setup *setup = arg;
	struct parent *p = setup->owner;

	supervise_each(p->sup, ROLE_VERIFIER, send_users, setup);
}

/* ---- the keys of tokens change ---- */

static void
send_keys(struct msg_chan *chan, void *conf_arg, void *arg)
{
	const struct setup *setup = arg;

	if (conf_arg == setup && (setup_keys_send(setup->keys, chan) == -1 ||
	    msg_send_empty(chan, MSG_CONF_END, 0) == -1))
		log_warn("keys to worker %u", msg_chan_instance(chan));
}

static void
on_keys_changed(void *arg)
{
	struct setup *setup = arg;
	struct parent *p = setup->owner;

	supervise_each(p->sup, ROLE_WORKER, send_keys, setup);
}

/* ---- the control socket becomes free ---- */

static void
send_control(struct msg_chan *chan, void *conf_arg, void *arg)
{
	/* A collector without it is started again, and gets it then. */
	if (conf_arg == arg && setup_send_control(arg, chan) == -1 &&
	    errno != EPIPE)
		log_warn("control socket to the collector");
}

/* Only for what serves: what is being tried may still fail. */
static void
on_control_timer(void *arg)
{
	struct parent *p = arg;

	if (p->next == NULL && p->current != NULL &&
	    setup_take_control(p->current))
		supervise_each(p->sup, ROLE_COLLECTOR, send_control,
		    p->current);
	loop_timer_start(p->control_timer, CONTROL_RETRY_MS);
}

/* ---- starting ---- */

static int
start(struct parent *p, struct setup *setup)
{
	const struct registry_conf *conf = setup->conf;
	struct supervise_conf sc = {
		.program = p->program,
		.roles = setup->roles,
		.nroles = setup->nroles,
		.links = setup->links,
		.nlinks = setup->nlinks,
		.ready_timeout_ms = READY_TIMEOUT_MS,
		.drain_timeout_ms = conf->drain_timeout_ms + DRAIN_GRACE_MS,
		.log_level = conf->log_level,
		.log_format = conf->log_format,
		.log_fields = setup->log_fields,
		.nlog_fields = conf->log_fields.n,
		.configure = on_configure,
		.on_restart = on_restart,
		.conf_arg = setup,
		.conf_free = on_setup_unused,
	};

	setup->owner = p;
	if (supervise_start(p->sup, &sc) == -1) {
		log_warn("cannot execute %s for the children",
		    p->program);
		setup_free(setup);
		return -1;
	}
	p->next = setup;
	if (setup->users != NULL)
		setup_users_watch(setup->users, p->loop, on_users_changed,
		    setup);
	if (setup->keys != NULL)
		setup_keys_watch(setup->keys, p->loop, on_keys_changed,
		    setup);
	log_sockets(&setup->debug, "metrics");
	log_sockets(&setup->listeners, "listening");
	return 0;
}

static void
configure_log(const struct registry_conf *conf)
{
	size_t i;

	log_configure(conf->log_level, conf->log_format);
	for (i = 0; i < conf->log_fields.n; i++)
		log_add_static_field(conf->log_fields.items[i].name,
		    conf->log_fields.items[i].value);
}

static void
on_ready(void *arg)
{
	struct parent *p = arg;

	if (p->current == NULL)
		log_info("ready");
	else {
		/* Its own log.fields stay: they name the installation. */
		log_configure(p->next->conf->log_level,
		    p->next->conf->log_format);
		log_info("reloaded");
	}
	p->current = p->next;
	p->next = NULL;
}

static void
on_empty(void *arg)
{
	struct parent *p = arg;

	loop_stop(p->loop);
}

/* ---- signals ---- */

static void
on_end(int signo, void *arg)
{
	struct parent *p = arg;

	log_info("ending on signal %d", signo);
	loop_timer_stop(p->control_timer);
	supervise_drain(p->sup);
}

static void
on_reload(int signo, void *arg)
{
	static const char kept[] = "the configuration was not reloaded: "
	    "the old one stays in force";
	struct parent *p = arg;
	struct registry_conf *conf;
	struct setup *setup;

	(void)signo;
	log_info("reloading %s", p->options.file);
	if ((conf = load(&p->options)) == NULL ||
	    (setup = setup_open(conf, p->next != NULL ? p->next :
	    p->current)) == NULL) {
		log_error(kept);
		return;
	}
	if (start(p, setup) == -1)
		log_error(kept);
}

static void
watch_signals(struct parent *p, struct loop_signal *signals[3])
{
	signal(SIGPIPE, SIG_IGN);
	signals[0] = loop_signal_new(p->loop, SIGTERM, on_end, p);
	signals[1] = loop_signal_new(p->loop, SIGINT, on_end, p);
	signals[2] = loop_signal_new(p->loop, SIGHUP, on_reload, p);
	if (signals[0] == NULL || signals[1] == NULL || signals[2] == NULL)
		fatal("signals");
}

/* ---- start ---- */

static int
parent_main(const struct options *options, const char *argv0)
{
	struct parent p = { .options = *options };
	struct loop_signal *signals[3];
	struct registry_conf *conf;
	struct setup *setup;
	size_t i;

	compat_close_from(STDERR_FILENO + 1);	/* whatever we inherited */
	if ((conf = load(options)) == NULL)
		return 1;
	configure_log(conf);
	p.program = supervise_self(argv0);
	random_bytes(p.ticket_key, sizeof(p.ticket_key));
	if ((setup = setup_open(conf, NULL)) == NULL)
		return 1;
	sandbox_enter(SANDBOX_PARENT);
	if ((p.loop = loop_new()) == NULL)
		fatal("loop");
	p.sup = supervise_new(p.loop, NULL, 0, on_ready, on_empty, &p);
	watch_signals(&p, signals);
	log_info("registryd " VERSION " starting, sandbox %s",
	    sandbox_name());
	if (start(&p, setup) == -1)
		return 1;
	if ((p.control_timer = loop_timer_new(p.loop, on_control_timer, &p)) ==
	    NULL || loop_timer_start(p.control_timer, CONTROL_RETRY_MS) == -1)
		fatal("timer");
	if (loop_run(p.loop) == -1)
		fatal("loop");
	loop_timer_free(p.control_timer);
	supervise_free(p.sup);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		loop_signal_free(signals[i]);
	loop_free(p.loop);
	log_info("ended");
	return 0;
}

static int
check_main(const struct options *options)
{
	struct registry_conf *conf;

	if ((conf = conf_load(options->file, environ, stderr)) == NULL)
		return 1;
	setup_note_files(conf, stderr);
	if (options->verbose)
		conf_print(conf, stdout);
	else
		fprintf(stderr, "%s: configuration ok\n", options->file);
	conf_free(conf);
	return fflush(stdout) == 0 ? 0 : 1;
}

static int
child_main(const struct proc_args *args)
{
	static const struct {
		const char	*role;
		int		(*main)(const struct proc_args *);
	} roles[] = {
		{ "worker", worker_main },
		{ "keeper", keeper_main },
		{ "collector", collector_main },
		{ "verifier", verifier_main },
		{ "monitor", monitor_main },
	};
	size_t i;

	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(roles[i].role, args->role) == 0)
			return roles[i].main(args);
	usage();
}

int
main(int argc, char *argv[])
{
	static const struct option longopts[] = {
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = { .file = NULL };
	struct proc_args args = { 0 };
	int ch;

	proc_fill_fds();
	log_init("registryd");
	while ((ch = getopt_long(argc, argv, "f:nv" PROC_GETOPT, longopts,
	    NULL)) != -1) {
		switch (ch) {
		case 'f':
			options.file = optarg;
			break;
		case 'n':
			options.check = true;
			break;
		case 'v':
			options.verbose = true;
			break;
		case 'V':
			printf("registryd %s\n", VERSION);
			return 0;
		default:
			if (ch == '?' ||
			    proc_getopt(&args, ch, optarg) == -1)
				usage();
		}
	}
	if (optind != argc)
		usage();
	if (args.role[0] != '\0')
		return child_main(&args);
	options.file = conf_path(options.file);
	return options.check ? check_main(&options) :
	    parent_main(&options, argv[0]);
}
