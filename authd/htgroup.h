/* SPDX-License-Identifier: ISC */
/*
 * Group files as Apache has them: "group: user user ...", one on each line.
 * A group that is there several times has the users of all its lines.
 */
#ifndef HTGROUP_H
#define HTGROUP_H

#include <stddef.h>
#include <stdio.h>

#include "conf.h"

#define HTGROUP_MAX_SIZE	(4 << 20)

struct msg;
struct msg_chan;

struct htgroup {
	struct conf_group *groups;	/* sorted by name, each once */
	size_t		 n;
};

/*
 * All that is wrong goes to "messages", by line; NULL then.  At most as many
 * groups and members as the configuration may have.
 */
struct htgroup	*htgroup_parse(const char *name, const char *text, size_t len,
		    FILE *messages);
/* Same from an open file, which is not closed. */
struct htgroup	*htgroup_read(int fd, const char *name, FILE *messages);
void		 htgroup_free(struct htgroup *);	/* NULL is fine */

/*
 * To the broker as MSG_CONF_HTGROUP; -1 with errno.  It has forgotten the
 * older groups when the next CONF_END comes.
 */
int		 htgroup_send(const struct htgroup *, struct msg_chan *);
/*
 * The other end.  *groups (NULL at first) is made anew by the first message
 * and grows with the next; -1 when malformed.
 */
int		 htgroup_on_message(struct htgroup **groups, struct msg *);

#endif
