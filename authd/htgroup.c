/* SPDX-License-Identifier: ISC */
/*
 * Reads group files, strictly: what other programs might read in another way
 * is an error.  Runs in the parent and in authctl; the broker gets the groups
 * by messages.
 */
#include "htgroup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "messages.h"
#include "msg.h"
#include "str.h"

#define BATCH	32768			/* bytes, then the next message */

struct parser {
	struct htgroup	*to;
	const char	*name;
	unsigned	 line;
	size_t		 members, bytes;
	FILE		*messages;
	bool		 failed;
};

static void
wrong(struct parser *p, const char *what)
{
	fprintf(p->messages, "error: %s:%u: %s\n", p->name, p->line, what);
	p->failed = true;
}

static void
group_done(struct conf_group *group)
{
	size_t	 i;

	for (i = 0; i < group->users.n; i++)
		free(group->users.items[i]);
	free(group->users.items);
	free(group->name);
}

void
htgroup_free(struct htgroup *htgroup)
{
	size_t	 i;

	if (htgroup == NULL)
		return;
	for (i = 0; i < htgroup->n; i++)
		group_done(&htgroup->groups[i]);
	free(htgroup->groups);
	free(htgroup);
}

/* The group of that name, in its place when it is new; NULL: no memory. */
static struct conf_group *
put_group(struct htgroup *htgroup, const char *name)
{
	struct conf_group	*groups, *at;
	size_t			 low = 0, high = htgroup->n, middle;
	char			*copy;
	int			 order;

	while (low < high) {
		middle = low + (high - low) / 2;
		order = strcmp(name, htgroup->groups[middle].name);
		if (order == 0)
			return &htgroup->groups[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	if (htgroup->n == CONF_MAX_GROUPS || (copy = strdup(name)) == NULL)
		return NULL;
	groups = reallocarray(htgroup->groups, htgroup->n + 1,
	    sizeof(*groups));
	if (groups == NULL) {
		free(copy);
		return NULL;
	}
	htgroup->groups = groups;
	at = &groups[low];
	memmove(at + 1, at, (htgroup->n - low) * sizeof(*at));
	memset(at, 0, sizeof(*at));
	at->name = copy;
	htgroup->n++;
	return at;
}

static int
add_user(struct conf_group *group, const char *user)
{
	struct conf_list	*users = &group->users;
	char			**items;

	/* Room for the double of it whenever it is a power of two. */
	if ((users->n & (users->n - 1)) == 0) {
		items = reallocarray(users->items,
		    users->n == 0 ? 1 : 2 * users->n, sizeof(*items));
		if (items == NULL)
			return -1;
		users->items = items;
	}
	if ((users->items[users->n] = strdup(user)) == NULL)
		return -1;
	users->n++;
	return 0;
}

/* ---- the file ---- */

static void
parse_users(struct parser *p, struct conf_group *group, char *users)
{
	char	*user;

	while ((user = strsep(&users, " \t")) != NULL) {
		if (*user == '\0')
			continue;
		if (strlen(user) > MAX_USER || strchr(user, ':') != NULL) {
			wrong(p, "a user has 1 to 255 bytes without ':'");
			return;
		}
		p->members++;
		p->bytes += strlen(user);
		if (p->members > CONF_MAX_MEMBERS ||
		    p->bytes > CONF_MAX_MEMBER_BYTES) {
			wrong(p, "more than 65536 members, or more than 1 MiB "
			    "of their names");
			return;
		}
		if (add_user(group, user) == -1) {
			wrong(p, "out of memory");
			return;
		}
	}
}

static const char *
line_wrong(const char *line, size_t len)
{
	size_t	 i;

	for (i = 0; i < len; i++)
		if (((unsigned char)line[i] < 0x20 && line[i] != '\t') ||
		    line[i] == 0x7f)
			return "a control character";
	if (len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0)
		return "a byte order mark";
	if (len > 0 && line[len - 1] == '\\')
		return "a line cannot be continued; a group may be there "
		    "several times";
	return NULL;
}

static void
parse_group(struct parser *p, char *line)
{
	struct conf_group	*group;
	char			*colon = strchr(line, ':'), *end;

	if (colon == NULL) {
		wrong(p, "accepted: \"group: user user ...\"");
		return;
	}
	for (end = colon; end > line && strchr(" \t", end[-1]) != NULL;)
		end--;
	*end = '\0';
	if (*line == '\0' || strlen(line) > MAX_USER ||
	    strpbrk(line, " \t") != NULL) {
		wrong(p, "a group has a name of 1 to 255 bytes without "
		    "spaces");
		return;
	}
	if ((group = put_group(p->to, line)) == NULL)
		wrong(p, p->to->n == CONF_MAX_GROUPS ?
		    "more than 1024 groups" : "out of memory");
	else
		parse_users(p, group, colon + 1);
}

static void
parse_line(struct parser *p, const char *line, size_t len)
{
	const char	*what;
	char		*copy;

	if (len > 0 && line[len - 1] == '\r')
		len--;
	if ((what = line_wrong(line, len)) != NULL) {
		wrong(p, what);
		return;
	}
	while (len > 0 && strchr(" \t", *line) != NULL) {
		line++;
		len--;
	}
	if (len == 0 || *line == '#')
		return;
	if ((copy = strndup(line, len)) == NULL)
		wrong(p, "out of memory");
	else
		parse_group(p, copy);
	free(copy);
}

struct htgroup *
htgroup_parse(const char *name, const char *text, size_t len, FILE *messages)
{
	struct parser	 p = { .name = name, .messages = messages };
	const char	*end = text + len, *newline;

	if ((p.to = calloc(1, sizeof(*p.to))) == NULL) {
		wrong(&p, "out of memory");
		return NULL;
	}
	while (text < end) {
		p.line++;
		newline = memchr(text, '\n', (size_t)(end - text));
		if (newline == NULL)
			newline = end;
		parse_line(&p, text, (size_t)(newline - text));
		text = newline == end ? end : newline + 1;
		/* Whatever is behind that is as large. */
		if (p.members > CONF_MAX_MEMBERS ||
		    p.bytes > CONF_MAX_MEMBER_BYTES)
			break;
	}
	if (!p.failed)
		return p.to;
	htgroup_free(p.to);
	return NULL;
}

struct htgroup *
htgroup_read(int fd, const char *name, FILE *messages)
{
	struct htgroup	*htgroup = NULL;
	char		*text;
	ssize_t		 n = 1;
	size_t		 len = 0;

	if ((text = malloc(HTGROUP_MAX_SIZE)) == NULL) {
		fprintf(messages, "error: %s: out of memory\n", name);
		return NULL;
	}
	while (len < HTGROUP_MAX_SIZE && (n = pread(fd, text + len,
	    HTGROUP_MAX_SIZE - len, (off_t)len)) > 0)
		len += (size_t)n;
	if (n == -1)
		fprintf(messages, "error: %s: %s\n", name, strerror(errno));
	else if (len == HTGROUP_MAX_SIZE)
		fprintf(messages, "error: %s: larger than 4 MiB\n", name);
	else
		htgroup = htgroup_parse(name, text, len, messages);
	free(text);
	return htgroup;
}

/* ---- messages ---- */

/* From the user *i on, as many as fit. */
static void
put_users(struct msg_out *out, const struct conf_group *group, size_t *i)
{
	msg_put_bool(out, true);
	msg_put_str(out, group->name);
	for (; *i < group->users.n && out->len < BATCH; (*i)++) {
		msg_put_bool(out, true);
		msg_put_str(out, group->users.items[*i]);
	}
	msg_put_bool(out, false);
}

int
htgroup_send(const struct htgroup *htgroup, struct msg_chan *chan)
{
	struct msg_out	 out;
	size_t		 g = 0, user = 0;
	bool		 first = true;

	do {
		msg_begin(&out, MSG_CONF_HTGROUP, 0);
		msg_put_bool(&out, first);
		first = false;
		while (g < htgroup->n && out.len < BATCH) {
			put_users(&out, &htgroup->groups[g], &user);
			if (user == htgroup->groups[g].users.n) {
				g++;
				user = 0;
			}
		}
		msg_put_bool(&out, false);
		if (msg_send(chan, &out) == -1)
			return -1;
	} while (g < htgroup->n);
	return 0;
}

static int
get_group(struct htgroup *htgroup, struct msg *msg)
{
	struct conf_group	*group;
	char			 name[MAX_USER + 1];

	msg_get_str(msg, name, sizeof(name));
	if (msg->bad || (group = put_group(htgroup, name)) == NULL)
		return -1;
	while (msg_get_bool(msg)) {
		msg_get_str(msg, name, sizeof(name));
		if (msg->bad || add_user(group, name) == -1)
			return -1;
	}
	return 0;
}

int
htgroup_on_message(struct htgroup **groups, struct msg *msg)
{
	if (msg_get_bool(msg)) {
		htgroup_free(*groups);
		*groups = calloc(1, sizeof(**groups));
	}
	if (*groups == NULL)
		return -1;
	while (msg_get_bool(msg))
		if (get_group(*groups, msg) == -1)
			return -1;
	return msg_end(msg);
}
