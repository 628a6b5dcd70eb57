/* SPDX-License-Identifier: ISC */
/*
 * Users of an htpasswd file: the file is read whole, refused whole when any
 * line is wrong, and then only looked up in memory.  Checks run in verifier
 * processes; the parent parses a file too, to refuse a bad one before it
 * sends it.  Hashes never leave this file's state.
 */
#include "htpasswd.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pwhash.h"
#include "secret.h"
#include "str.h"

#define MAX_REPORTED	50		/* errors printed of one file */

struct entry {
	const char	*user;		/* both within text */
	const char	*hash;
	unsigned	 line;
	struct pwhash	 kind;
};

struct htpasswd {
	char		*text;		/* the file, cut into strings */
	size_t		 textlen;
	struct entry	*entries;	/* sorted by user */
	size_t		 n, cap;
	const char	*decoy;		/* hash computed for unknown users */
	struct crypt_data *scratch;
};

/* Where the messages of one load go. */
struct report {
	const char	*name;
	FILE		*out;
	size_t		 errors;
	size_t		 weak;
	unsigned	 weak_line;
};

static void
report_error(struct report *r, unsigned line, const char *why)
{
	if (r->errors++ < MAX_REPORTED)
		fprintf(r->out, "error: %s:%u: %s\n", r->name, line, why);
	else if (r->errors == MAX_REPORTED + 1)
		fprintf(r->out, "error: %s: more errors follow\n", r->name);
}

static const char *
check_user(const char *user)
{
	const char	*p;

	if (*user == '\0')
		return "empty user name";
	if (strlen(user) > HTPASSWD_MAX_USER)
		return "user name longer than 255 bytes";
	for (p = user; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return "control character in a user name";
	return NULL;
}

static int
add_entry(struct htpasswd *h, const struct entry *entry)
{
	struct entry	*entries;
	size_t		 cap;

	if (h->n == h->cap) {
		cap = h->cap == 0 ? 64 : h->cap * 2;
		entries = reallocarray(h->entries, cap, sizeof(*entries));
		if (entries == NULL)
			return -1;
		h->entries = entries;
		h->cap = cap;
	}
	h->entries[h->n++] = *entry;
	return 0;
}

/* "user:hash" or "user:hash:rest"; blank lines and comments are nothing. */
static int
parse_line(struct htpasswd *h, char *line, size_t len, unsigned number,
    struct report *r)
{
	struct entry	 entry;
	const char	*why;
	char		*colon;

	if (memchr(line, '\0', len) != NULL) {
		report_error(r, number, "NUL in a line");
		return 0;
	}
	if (len > 0 && line[len - 1] == '\r')
		line[--len] = '\0';
	if (line[strspn(line, " \t")] == '\0' || *line == '#')
		return 0;
	if ((colon = strchr(line, ':')) == NULL) {
		report_error(r, number, "no ':' between user and hash");
		return 0;
	}
	*colon = '\0';
	entry.user = line;
	entry.hash = colon + 1;
	entry.line = number;
	colon[1 + strcspn(colon + 1, ":")] = '\0';
	if ((why = check_user(entry.user)) != NULL ||
	    (why = pwhash_parse(entry.hash, &entry.kind)) != NULL) {
		report_error(r, number, why);
		return 0;
	}
	if (entry.kind.weak && r->weak++ == 0)
		r->weak_line = number;
	return add_entry(h, &entry);
}

static int
parse_lines(struct htpasswd *h, struct report *r)
{
	static const char	 bom[] = "\xef\xbb\xbf";
	char			*line = h->text, *end = h->text + h->textlen;
	char			*newline;
	unsigned		 number;
	size_t			 len;

	if (h->textlen >= 3 && memcmp(line, bom, 3) == 0)
		line += 3;
	for (number = 1; line < end; number++) {
		newline = memchr(line, '\n', (size_t)(end - line));
		len = (size_t)((newline == NULL ? end : newline) - line);
		line[len] = '\0';
		if (parse_line(h, line, len, number, r) == -1) {
			report_error(r, number, "out of memory");
			return -1;
		}
		line += len + 1;
	}
	return 0;
}

static int
compare_entries(const void *a, const void *b)
{
	const struct entry	*x = a, *y = b;
	int			 order = strcmp(x->user, y->user);

	if (order != 0)
		return order;
	return x->line < y->line ? -1 : x->line > y->line;
}

static int
compare_user(const void *user, const void *entry)
{
	return strcmp(user, ((const struct entry *)entry)->user);
}

static void
check_duplicates(const struct htpasswd *h, struct report *r)
{
	char	 why[64];
	size_t	 i;

	for (i = 1; i < h->n; i++) {
		if (strcmp(h->entries[i - 1].user, h->entries[i].user) != 0)
			continue;
		snprintf(why, sizeof(why), "the user of line %u again",
		    h->entries[i - 1].line);
		report_error(r, h->entries[i].line, why);
	}
}

/*
 * For users that do not exist the hash of a real one is computed and the
 * result thrown away: that of the scheme that most users have, with its
 * greatest cost, so that a stranger's time tells nothing.
 */
static void
choose_decoy(struct htpasswd *h)
{
	size_t		 count[PWHASH_SCHEMES] = { 0 }, i;
	unsigned	 scheme, best = PWHASH_LOCKED;
	uint64_t	 cost = 0;

	for (i = 0; i < h->n; i++)
		count[h->entries[i].kind.scheme]++;
	count[PWHASH_LOCKED] = 0;
	for (scheme = 0; scheme < PWHASH_SCHEMES; scheme++)
		if (count[scheme] > count[best])
			best = scheme;
	if (best == PWHASH_LOCKED)
		return;
	for (i = 0; i < h->n; i++)
		if (h->entries[i].kind.scheme == best &&
		    h->entries[i].kind.cost > cost) {
			cost = h->entries[i].kind.cost;
			h->decoy = h->entries[i].hash;
		}
}

/* Takes ownership of text, which has room for a NUL behind len. */
static struct htpasswd *
htpasswd_new(char *text, size_t len, const char *name, FILE *messages)
{
	struct report	 r = { name, messages, 0, 0, 0 };
	struct htpasswd	*h;

	if ((h = calloc(1, sizeof(*h))) == NULL ||
	    (h->scratch = calloc(1, sizeof(*h->scratch))) == NULL) {
		fprintf(messages, "error: %s: out of memory\n", name);
		secret_wipe(text, len);
		free(text);
		free(h);
		return NULL;
	}
	h->text = text;
	h->textlen = len;
	if (parse_lines(h, &r) == 0 && h->n > 0) {
		qsort(h->entries, h->n, sizeof(*h->entries), compare_entries);
		check_duplicates(h, &r);
	}
	if (r.errors > 0) {
		htpasswd_free(h);
		return NULL;
	}
	if (r.weak > 0)
		fprintf(messages, "warning: %s:%u: bcrypt cost below 10 "
		    "(%zu of %zu users)\n", name, r.weak_line, r.weak, h->n);
	choose_decoy(h);
	return h;
}

struct htpasswd *
htpasswd_parse(const char *text, size_t len, const char *name,
    FILE *messages)
{
	char	*copy;

	if ((copy = malloc(len + 1)) == NULL) {
		fprintf(messages, "error: %s: out of memory\n", name);
		return NULL;
	}
	memcpy(copy, text, len);
	return htpasswd_new(copy, len, name, messages);
}

/*
 * Read from the start whatever the offset is: the descriptor is shared with
 * other verifiers.
 */
static char *
read_all(int fd, size_t size, size_t *len)
{
	char	*text;
	ssize_t	 n;

	*len = 0;
	if ((text = malloc(size + 1)) == NULL)
		return NULL;
	while (*len < size) {
		n = pread(fd, text + *len, size - *len, (off_t)*len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			secret_wipe(text, *len);
			free(text);
			return NULL;
		}
		if (n == 0)
			break;
		*len += (size_t)n;
	}
	return text;
}

struct htpasswd *
htpasswd_load(int fd, const char *name, FILE *messages)
{
	struct stat	 st;
	char		*text;
	size_t		 len;

	if (fstat(fd, &st) == -1) {
		fprintf(messages, "error: %s: %s\n", name, strerror(errno));
		return NULL;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > HTPASSWD_MAX_SIZE) {
		fprintf(messages, "error: %s: not a regular file of at most "
		    "128 MiB\n", name);
		return NULL;
	}
	if ((text = read_all(fd, (size_t)st.st_size, &len)) == NULL) {
		fprintf(messages, "error: %s: %s\n", name, strerror(errno));
		return NULL;
	}
	return htpasswd_new(text, len, name, messages);
}

size_t
htpasswd_count(const struct htpasswd *h)
{
	return h->n;
}

static enum htpasswd_result
compute(struct htpasswd *h, const char *password, const char *hash)
{
	enum htpasswd_result	 result = HTPASSWD_BROKEN;
	const char		*made;
	size_t			 len;

	/* Unlike crypt_r() it fails with NULL, and links with sanitizers. */
	made = crypt_rn(password, hash, h->scratch, sizeof(*h->scratch));
	if (made != NULL && *made != '*') {
		len = strlen(hash);
		result = strlen(made) == len &&
		    CRYPTO_memcmp(made, hash, len) == 0 ?
		    HTPASSWD_GOOD : HTPASSWD_WRONG;
	}
	secret_wipe(h->scratch, sizeof(*h->scratch));
	return result;
}

/* Nobody's password: the same work, and never GOOD. */
static enum htpasswd_result
compute_decoy(struct htpasswd *h, const char *password,
    enum htpasswd_result result)
{
	if (h->decoy != NULL &&
	    compute(h, password, h->decoy) == HTPASSWD_BROKEN)
		return HTPASSWD_BROKEN;
	return result;
}

static const struct entry *
find_entry(const struct htpasswd *h, const char *user)
{
	return h->n == 0 ? NULL : bsearch(user, h->entries, h->n,
	    sizeof(*h->entries), compare_user);
}

enum htpasswd_result
htpasswd_find(const struct htpasswd *h, const char *user, const char **hash)
{
	const struct entry	*entry = find_entry(h, user);

	if (entry == NULL)
		return HTPASSWD_UNKNOWN;
	if (hash != NULL)
		*hash = entry->hash;
	return entry->kind.scheme == PWHASH_LOCKED ? HTPASSWD_LOCKED :
	    HTPASSWD_GOOD;
}

enum htpasswd_result
htpasswd_check(struct htpasswd *h, const char *user, const char *password,
    size_t len)
{
	const struct entry	*entry = find_entry(h, user);
	enum htpasswd_result	 result;
	char			 text[PWHASH_MAX + 1];

	/* Whoever the user is, these cost nothing. */
	if (len == 0 || len > PWHASH_MAX || memchr(password, '\0', len))
		return entry == NULL ? HTPASSWD_UNKNOWN : HTPASSWD_WRONG;
	memcpy(text, password, len);
	text[len] = '\0';
	if (entry == NULL)
		result = compute_decoy(h, text, HTPASSWD_UNKNOWN);
	else if (entry->kind.scheme == PWHASH_LOCKED)
		result = compute_decoy(h, text, HTPASSWD_LOCKED);
	else
		result = compute(h, text, entry->hash);
	secret_wipe(text, sizeof(text));
	return result;
}

void
htpasswd_free(struct htpasswd *h)
{
	if (h == NULL)
		return;
	if (h->text != NULL)
		secret_wipe(h->text, h->textlen);
	if (h->scratch != NULL)
		secret_wipe(h->scratch, sizeof(*h->scratch));
	free(h->text);
	free(h->scratch);
	free(h->entries);
	free(h);
}
