/* SPDX-License-Identifier: ISC */
/*
 * Token requests: from what a client sent to plain data, and over the
 * channel between worker and broker.  The parsing runs in the worker; the
 * broker checks again what it reads, as a worker is not trusted.
 */
#include "token_request.h"

#include <errno.h>
#include <string.h>

#include "str.h"

/* The one value of a parameter; "" when absent, NULL when it is repeated. */
static const char *
single(const struct uri *uri, const char *name)
{
	const char	*value;

	if (uri_param_count(uri, name) > 1)
		return NULL;
	value = uri_param(uri, name);
	return value == NULL ? "" : value;
}

static enum token_parse
parse_service(struct token_request *req, const struct uri *uri)
{
	const char	*service = single(uri, "service");

	if (service == NULL || str_copy(req->service, sizeof(req->service),
	    service) == -1)
		return TOKEN_PARSE_SERVICE;
	return TOKEN_PARSE_OK;
}

/*
 * Repeated parameters and lists with spaces mean the same everywhere:
 * clients do either, and some do both at once.
 */
static enum token_parse
parse_scopes(struct token_request *req, const struct uri *uri)
{
	const char	*value;
	size_t		 i;

	for (i = 0; i < uri->nparams; i++) {
		if (strcmp(uri->params[i].name, "scope") != 0)
			continue;
		value = uri->params[i].value;
		if (value[strspn(value, " ")] != '\0')
			req->asked = true;
		if (scope_set_add_list(&req->scopes, value) == -1)
			return errno == ENOMEM ? TOKEN_PARSE_NOMEM :
			    TOKEN_PARSE_SCOPES;
	}
	return TOKEN_PARSE_OK;
}

/* Who it is said to be, for people to read: what is odd is nobody. */
static void
parse_client(struct token_request *req, const struct uri *uri)
{
	const char	*client = uri_param(uri, "client_id"), *p;

	if (client == NULL)
		return;
	for (p = client; *p != '\0'; p++)
		if (*p < 0x20 || *p > 0x7e)
			return;
	str_copy(req->client, sizeof(req->client), client);
}

static bool
has_value(const struct uri *uri, const char *name, const char *value)
{
	const char	*got = uri_param(uri, name);

	return got != NULL && strcmp(got, value) == 0;
}

static enum token_parse
set_refresh_token(struct token_request *req, const char *token, size_t len)
{
	if (len == 0 || len > MAX_PASSWORD)
		return TOKEN_PARSE_CREDENTIALS;
	req->kind = CRED_REFRESH;
	if ((req->password = secret_new(token, len)) == NULL)
		return TOKEN_PARSE_NOMEM;
	return TOKEN_PARSE_OK;
}

static enum token_parse
set_credentials(struct token_request *req, const char *user,
    const char *password, size_t len)
{
	if (*user == '\0' || len == 0 || len > MAX_PASSWORD ||
	    str_copy(req->user, sizeof(req->user), user) == -1)
		return TOKEN_PARSE_CREDENTIALS;
	req->kind = CRED_PASSWORD;
	if ((req->password = secret_new(password, len)) == NULL)
		return TOKEN_PARSE_NOMEM;
	return TOKEN_PARSE_OK;
}

/* Without a user it is a refresh token: so clients fall back from POST. */
static enum token_parse
parse_basic(struct token_request *req, const char *authorization,
    bool refresh)
{
	struct http_auth	 auth;
	enum token_parse	 result = TOKEN_PARSE_CREDENTIALS;

	http_auth_parse(&auth, authorization);
	if (auth.scheme == HTTP_AUTH_NONE)
		result = TOKEN_PARSE_OK;
	else if (auth.scheme == HTTP_AUTH_BASIC && refresh &&
	    (*auth.user == '\0' || strcmp(auth.user, "<token>") == 0))
		result = set_refresh_token(req, secret_data(auth.password),
		    secret_len(auth.password));
	else if (auth.scheme == HTTP_AUTH_BASIC)
		result = set_credentials(req, auth.user,
		    secret_data(auth.password), secret_len(auth.password));
	http_auth_done(&auth);
	return result;
}

enum token_parse
token_request_from_query(struct token_request *req, const struct uri *uri,
    const char *authorization, bool refresh)
{
	enum token_parse	 result;

	parse_client(req, uri);
	req->offline = has_value(uri, "offline_token", "true");
	if ((result = parse_service(req, uri)) != TOKEN_PARSE_OK ||
	    (result = parse_scopes(req, uri)) != TOKEN_PARSE_OK)
		return result;
	return parse_basic(req, authorization, refresh);
}

static enum token_parse
parse_refresh_grant(struct token_request *req, const struct uri *form)
{
	const char		*token = single(form, "refresh_token");
	enum token_parse	 result;

	if (token == NULL)
		return TOKEN_PARSE_BAD;
	if ((result = parse_service(req, form)) != TOKEN_PARSE_OK ||
	    (result = parse_scopes(req, form)) != TOKEN_PARSE_OK)
		return result;
	return set_refresh_token(req, token, strlen(token));
}

static enum token_parse
parse_password_grant(struct token_request *req, const struct uri *form)
{
	const char		*user, *password;
	enum token_parse	 result;

	user = single(form, "username");
	password = single(form, "password");
	if (user == NULL || password == NULL)
		return TOKEN_PARSE_BAD;
	req->offline = has_value(form, "access_type", "offline");
	if ((result = parse_service(req, form)) != TOKEN_PARSE_OK ||
	    (result = parse_scopes(req, form)) != TOKEN_PARSE_OK)
		return result;
	return set_credentials(req, user, password, strlen(password));
}

static enum token_parse
parse_grant(struct token_request *req, const struct uri *form, bool refresh)
{
	const char	*grant = single(form, "grant_type");

	if (grant == NULL)
		return TOKEN_PARSE_BAD;
	parse_client(req, form);
	if (strcmp(grant, "password") == 0)
		return parse_password_grant(req, form);
	if (refresh && strcmp(grant, "refresh_token") == 0)
		return parse_refresh_grant(req, form);
	return TOKEN_PARSE_GRANT_TYPE;
}

enum token_parse
token_request_from_form(struct token_request *req, const char *body,
    size_t len, bool refresh)
{
	struct uri		 form = { NULL, NULL, NULL, 0 };
	enum token_parse	 result;

	/* A NUL cannot be in anybody's name or password; all else is 400. */
	if (uri_parse_form(&form, body, len) == 0)
		result = parse_grant(req, &form, refresh);
	else if (errno == ENOMEM)
		result = TOKEN_PARSE_NOMEM;
	else if (errno == EINVAL && memmem(body, len, "%00", 3) != NULL)
		result = TOKEN_PARSE_CREDENTIALS;
	else
		result = TOKEN_PARSE_BAD;
	uri_done(&form);
	return result;
}

void
token_request_done(struct token_request *req)
{
	scope_set_done(&req->scopes);
	secret_free(req->password);
	memset(req, 0, sizeof(*req));
}

/* ---- messages ---- */

void
token_scopes_put(struct msg_out *out, const struct scope_set *set)
{
	size_t	 i;

	msg_put_u32(out, (uint32_t)set->n);
	for (i = 0; i < set->n; i++) {
		msg_put_str(out, set->items[i].type);
		msg_put_str(out, set->items[i].name);
		msg_put_u32(out, set->items[i].actions);
	}
}

int
token_scopes_get(struct msg *msg, struct scope_set *set)
{
	struct scope	 scope;
	uint32_t	 i, n;

	n = msg_get_u32(msg);
	if (n > SCOPE_MAX)
		return -1;
	for (i = 0; i < n; i++) {
		msg_get_str(msg, scope.type, sizeof(scope.type));
		msg_get_str(msg, scope.name, sizeof(scope.name));
		scope.actions = msg_get_u32(msg);
		if (msg->bad || scope_set_add(set, &scope) == -1)
			return -1;
	}
	return msg->bad ? -1 : 0;
}

void
token_request_put(struct msg_out *out, const struct token_request *req,
    const char *peer)
{
	msg_put_str(out, peer);
	msg_put_str(out, req->service);
	msg_put_u8(out, (uint8_t)req->kind);
	msg_put_str(out, req->user);
	if (req->password != NULL)
		msg_put_bytes(out, secret_data(req->password),
		    secret_len(req->password));
	else
		msg_put_bytes(out, "", 0);
	msg_put_bool(out, req->asked);
	msg_put_bool(out, req->offline);
	msg_put_str(out, req->client);
	token_scopes_put(out, &req->scopes);
}

int
token_request_get(struct msg *msg, struct token_request *req, char *peer,
    size_t peersize)
{
	const void	*password;
	size_t		 len;
	uint8_t		 kind;

	msg_get_str(msg, peer, peersize);
	msg_get_str(msg, req->service, sizeof(req->service));
	kind = msg_get_u8(msg);
	msg_get_str(msg, req->user, sizeof(req->user));
	password = msg_get_bytes(msg, MAX_PASSWORD, &len);
	req->asked = msg_get_bool(msg);
	req->offline = msg_get_bool(msg);
	msg_get_str(msg, req->client, sizeof(req->client));
	if (msg->bad || kind > CRED_REFRESH)
		return -1;
	req->kind = (enum cred_kind)kind;
	if (req->kind != CRED_NONE) {
		if (len == 0 ||
		    (*req->user == '\0') != (req->kind == CRED_REFRESH) ||
		    memchr(password, '\0', len) != NULL ||
		    (req->password = secret_new(password, len)) == NULL)
			return -1;
	} else if (len != 0 || *req->user != '\0') {
		return -1;
	}
	if (token_scopes_get(msg, &req->scopes) == -1)
		return -1;
	return msg_end(msg);
}
