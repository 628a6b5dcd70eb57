/* SPDX-License-Identifier: ISC */
/*
 * A directory that answers as Active Directory does where OpenLDAP cannot:
 * binds by principal name, "Who am I?" with an account name, the codes that
 * it gives with a refused bind, and groups of groups by its own matching
 * rule.  Prints its port of loopback and serves until it is killed.
 *
 *   ad_server
 *
 * Each user's password is the name before the "@" and "-pw".
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <err.h>
#include <lber.h>
#include <ldap.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX	"DC=corp,DC=test"
#define GROUPS	"OU=groups," SUFFIX

/* Bob's principal name is another user's account. */
static const struct user {
	const char	*principal, *account, *dn;
	const char	*code;		/* why he may not, or NULL */
} users[] = {
	{ "alice@corp.test", "alice", "CN=Alice,OU=people," SUFFIX, NULL },
	{ "bob@corp.test", "robert", "CN=Robert,OU=people," SUFFIX, NULL },
	{ "boss@corp.test", "bob", "CN=Bob,OU=people," SUFFIX, NULL },
	{ "disabled@corp.test", "disabled", "CN=D,OU=people," SUFFIX, "533" },
	{ "expired@corp.test", "expired", "CN=E,OU=people," SUFFIX, "532" },
	{ "over@corp.test", "over", "CN=O,OU=people," SUFFIX, "701" },
	{ "must@corp.test", "must", "CN=M,OU=people," SUFFIX, "773" },
	{ "locked@corp.test", "locked", "CN=L,OU=people," SUFFIX, "775" },
};
#define NUSERS	(sizeof(users) / sizeof(users[0]))

static Sockbuf			*sb;
static const struct user	*bound;

static void
send_answer(BerElement *ber)
{
	if (ber_printf(ber, "}}") == -1 || ber_flush2(sb, ber,
	    LBER_FLUSH_FREE_ALWAYS) == -1)
		exit(0);
}

/* The beginning of a response; send_answer() ends it. */
static BerElement *
begin(int id, ber_tag_t tag, int code, const char *text)
{
	BerElement	*ber = ber_alloc_t(LBER_USE_DER);

	if (ber == NULL || ber_printf(ber, "{it{ess", id, tag, code, "",
	    text) == -1)
		errx(1, "ber_printf");
	return ber;
}

static int
is(const struct berval *value, const char *text)
{
	return value->bv_len == strlen(text) &&
	    strncasecmp(value->bv_val, text, value->bv_len) == 0;
}

static void
on_bind(BerElement *in, int id)
{
	struct berval	 name, password;
	char		 good[64], text[128] = "";
	const char	*code = "525";
	size_t		 i;
	int		 version;

	if (ber_scanf(in, "{imm", &version, &name, &password) == LBER_ERROR)
		exit(1);
	bound = NULL;
	for (i = 0; i < NUSERS; i++) {
		if (!is(&name, users[i].principal))
			continue;
		snprintf(good, sizeof(good), "%.*s-pw",
		    (int)strcspn(users[i].principal, "@"),
		    users[i].principal);
		code = users[i].code;
		if (password.bv_len != strlen(good) ||
		    memcmp(password.bv_val, good, password.bv_len) != 0)
			code = "52e";
		if (code == NULL)
			bound = &users[i];
	}
	if (bound == NULL)
		snprintf(text, sizeof(text), "80090308: LdapErr: "
		    "DSID-0C09042A, comment: AcceptSecurityContext error, "
		    "data %s, v3839", code);
	send_answer(begin(id, LDAP_RES_BIND, bound == NULL ?
	    LDAP_INVALID_CREDENTIALS : LDAP_SUCCESS, text));
}

static void
on_extended(BerElement *in, int id)
{
	struct berval	 oid;
	BerElement	*out;
	char		 who[64] = "";

	if (ber_scanf(in, "{m", &oid) == LBER_ERROR)
		exit(1);
	if (!is(&oid, LDAP_EXOP_WHO_AM_I)) {
		send_answer(begin(id, LDAP_RES_EXTENDED, LDAP_PROTOCOL_ERROR,
		    "no such operation"));
		return;
	}
	if (bound != NULL)
		snprintf(who, sizeof(who), "u:CORP\\%s", bound->account);
	out = begin(id, LDAP_RES_EXTENDED, LDAP_SUCCESS, "");
	ber_printf(out, "ts", (ber_tag_t)LDAP_TAG_EXOP_RES_VALUE, who);
	send_answer(out);
}

static void
send_user(int id, const struct user *user)
{
	BerElement	*out = ber_alloc_t(LBER_USE_DER);

	ber_printf(out, "{it{s{{s[s]}{s[s]}}", id,
	    (ber_tag_t)LDAP_RES_SEARCH_ENTRY, user->dn, "sAMAccountName",
	    user->account, "memberOf", "CN=dev," GROUPS);
	send_answer(out);
}

static void
send_group(int id, const char *name)
{
	BerElement	*out = ber_alloc_t(LBER_USE_DER);
	char		 dn[64];

	snprintf(dn, sizeof(dn), "CN=%s,%s", name, GROUPS);
	ber_printf(out, "{it{s{{s[s]}}", id,
	    (ber_tag_t)LDAP_RES_SEARCH_ENTRY, dn, "cn", name);
	send_answer(out);
}

static void
on_search(BerElement *in, int id)
{
	struct berval	 base, what, value, rule;
	ber_len_t	 len;
	ber_tag_t	 filter;
	size_t		 i;
	int		 scope, deref, size, limit, types;

	if (ber_scanf(in, "{meeiib", &base, &scope, &deref, &size, &limit,
	    &types) == LBER_ERROR)
		exit(1);
	filter = ber_peek_tag(in, &len);
	if (filter == LDAP_FILTER_EQUALITY &&
	    ber_scanf(in, "{mm}", &what, &value) != LBER_ERROR &&
	    bound != NULL && is(&what, "sAMAccountName")) {
		for (i = 0; i < NUSERS; i++)
			if (is(&value, users[i].account))
				send_user(id, &users[i]);
	} else if (filter == LDAP_FILTER_EXT &&
	    ber_scanf(in, "{mmm", &rule, &what, &value) != LBER_ERROR &&
	    bound != NULL && is(&rule, "1.2.840.113556.1.4.1941") &&
	    is(&what, "member") && is(&value, bound->dn)) {
		send_group(id, "dev");
		send_group(id, "outer");
	}
	send_answer(begin(id, LDAP_RES_SEARCH_RESULT, LDAP_SUCCESS, ""));
}

static void
serve(int fd)
{
	BerElement	*in;
	ber_len_t	 len;
	ber_tag_t	 tag;
	ber_int_t	 id;

	sb = ber_sockbuf_alloc();
	ber_sockbuf_add_io(sb, &ber_sockbuf_io_tcp, LBER_SBIOD_LEVEL_PROVIDER,
	    &fd);
	for (;;) {
		in = ber_alloc_t(LBER_USE_DER);
		if (ber_get_next(sb, &len, in) != LDAP_TAG_MESSAGE ||
		    ber_scanf(in, "i", &id) == LBER_ERROR)
			exit(0);
		tag = ber_peek_tag(in, &len);
		if (tag == LDAP_REQ_BIND)
			on_bind(in, id);
		else if (tag == LDAP_REQ_EXTENDED)
			on_extended(in, id);
		else if (tag == LDAP_REQ_SEARCH)
			on_search(in, id);
		else
			exit(0);
		ber_free(in, 1);
	}
}

int
main(void)
{
	struct sockaddr_in	 sin = { .sin_family = AF_INET };
	socklen_t		 len = sizeof(sin);
	int			 fd, s;

	signal(SIGCHLD, SIG_IGN);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((s = socket(AF_INET, SOCK_STREAM, 0)) == -1 ||
	    bind(s, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(s, 64) == -1 ||
	    getsockname(s, (struct sockaddr *)&sin, &len) == -1)
		err(1, "socket");
	printf("%d\n", ntohs(sin.sin_port));
	fflush(stdout);
	while ((fd = accept(s, NULL, NULL)) != -1) {
		if (fork() == 0) {
			close(s);
			serve(fd);
		}
		close(fd);
	}
	err(1, "accept");
}
