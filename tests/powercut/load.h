/* SPDX-License-Identifier: ISC */
/* Clients that push, move, mount and delete at once, one thread each. */
#ifndef POWERCUT_LOAD_H
#define POWERCUT_LOAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "http.h"
#include "model.h"

#define CLIENTS		8
#define OFFERS_MAX	256
#define ODD_MAX		512

/* What other clients may mount. */
struct offer {
	char		 repo[NAME_MAX_SIZE];
	uint64_t	 seed;
	size_t		 len;
};

struct load;

struct client {
	struct load	*load;
	unsigned	 id;
	uint64_t	 dice;
	struct model	 model;
	struct http	 http;
	pthread_t	 thread;
	unsigned	 repos;
	atomic_bool	 is_odd;
	char		 odd[ODD_MAX];	/* the first wrong answer */
};

struct load {
	struct client	 clients[CLIENTS];
	bool		 is_distribution;	/* 2.8: lacks some */
	uint64_t	 grace;		/* nanoseconds; 0: no collection */
	atomic_bool	 stopping;
	atomic_uint	 steps;		/* done since load_start() */
	pthread_mutex_t	 lock;		/* for what follows */
	struct offer	 offers[OFFERS_MAX];
	size_t		 n_offers, next_offer;
};

void	 load_init(struct load *, uint64_t seed);
/* The disk is empty again. */
void	 load_reset(struct load *);
/* They go on until load_stop(), or until the registry has gone. */
void	 load_start(struct load *, uint16_t port);
/* What all clients have done since then. */
unsigned	 load_steps(struct load *);
/* Before the cut: a broken connection is no surprise from here on. */
void	 load_stop(struct load *);
/* After it. */
void	 load_wait(struct load *);
size_t	 load_acks(const struct load *);
/* An answer that no client should get, or NULL; at any time. */
const char	*load_odd(const struct load *);

#endif
