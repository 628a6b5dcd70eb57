/* SPDX-License-Identifier: ISC */
/*
 * A YAML document as a tree whose nodes know file and line, and a list of
 * errors and warnings, so that a configuration reports all at once.
 * Used by parents and command-line tools only.
 */
#ifndef YAMLDOC_H
#define YAMLDOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum yaml_type { YAML_SCALAR, YAML_MAP, YAML_LIST };

struct yaml_node {
	enum yaml_type	 type;
	char		*key;		/* in a map, else NULL */
	char		*scalar;	/* "" for null and empty */
	bool		 quoted;	/* scalar was quoted: a string */
	struct yaml_node *parent;	/* borrowed */
	struct yaml_node **items;	/* children of a map or list */
	size_t		 nitems;
	unsigned	 line;		/* from 1; 0: from the environment */
	const char	*origin;	/* file name or variable name; borrowed
					   from the document */
	bool		 used;		/* set by the getters below */
};

struct yamldoc {
	struct yaml_node *root;		/* NULL for an empty file */
	char		*name;		/* of the file */
	struct yaml_message {
		bool	 error;		/* else a warning */
		unsigned line;		/* 0: not from the file */
		char	*text;		/* "file:line: key: ..." */
	}		*messages;
	size_t		 nmessages;	/* at most YAMLDOC_MAX_MESSAGES */
	size_t		 nerrors;	/* all */
	char		**origins;	/* owned names of variables */
	size_t		 norigins;
};

#define YAMLDOC_MAX_SIZE	(1024 * 1024)
#define YAMLDOC_MAX_DEPTH	32
#define YAMLDOC_MAX_ITEMS	4096	/* of one map or list */
#define YAMLDOC_MAX_MESSAGES	100
#define YAML_PATH_SIZE		256

/*
 * Parse a file or a string.  Never NULL; what is wrong is in messages.
 * Aliases, duplicate keys, several documents and what exceeds the numbers
 * above are errors.
 */
struct yamldoc	*yamldoc_load(const char *path);
struct yamldoc	*yamldoc_parse(const char *name, const char *text, size_t);
void		 yamldoc_free(struct yamldoc *);
/* The root as it is, or a new empty map where the file was empty. */
struct yaml_node *yamldoc_root(struct yamldoc *);

/* Child of a map by its exact key; marks it used.  NULL when absent. */
struct yaml_node	*yaml_find(struct yaml_node *map, const char *key);
/*
 * Same, creating an empty scalar that can be turned into anything.  An empty
 * scalar becomes a map for it; NULL when the node is something else.
 */
struct yaml_node	*yaml_put(struct yaml_node *map, const char *key);
/* The item at an index of a list, or a new one at its end; NULL else. */
struct yaml_node	*yaml_put_item(struct yaml_node *list, size_t index);
/* A scalar without value, as in "key:" and "key: null". */
bool	 yaml_is_empty(const struct yaml_node *);
/*
 * Replace a node's value by the YAML in text (an environment variable's
 * value).  -1 and an error message when it does not parse; the node is empty
 * then.
 */
int	 yaml_replace(struct yamldoc *, struct yaml_node *, const char *text,
	    const char *origin);
/* "log.fields.env" or "http.tls.clientcas[0]", into dst.  Returns dst. */
char	*yaml_path(const struct yaml_node *, char *dst, size_t size);

/*
 * "found X, accepted: Y" about a node, where Y is the text.  Getters use it,
 * and so may their callers for values of their own kinds.
 */
void	 yaml_refuse(struct yamldoc *, const struct yaml_node *,
	    const char *, ...) __attribute__((__format__(printf, 3, 4)));

/*
 * Typed values of a scalar.  On a wrong type: an error message that names
 * file, line, key, what was found and "accepted", -1, *out untouched.
 */
int	 yaml_bool(struct yamldoc *, struct yaml_node *, bool *out);
int	 yaml_u64(struct yamldoc *, struct yaml_node *, uint64_t min,
	    uint64_t max, uint64_t *out);
int	 yaml_duration(struct yamldoc *, struct yaml_node *, uint64_t *ms);
int	 yaml_size(struct yamldoc *, struct yaml_node *, uint64_t *bytes);
/* Owned copy in *out (the old one is freed). */
int	 yaml_string(struct yamldoc *, struct yaml_node *, char **out);

/* Add a message about a node: "file:line: key: text". */
void	 yaml_error(struct yamldoc *, const struct yaml_node *,
	    const char *, ...) __attribute__((__format__(printf, 3, 4)));
void	 yaml_warning(struct yamldoc *, const struct yaml_node *,
	    const char *, ...) __attribute__((__format__(printf, 3, 4)));
/* An error for each key of a map that no getter has used. */
void	 yaml_check_unused(struct yamldoc *, const struct yaml_node *map,
	    const char *accepted);
/*
 * All messages to a stream by line, errors as "error: ", warnings as
 * "warning: ".
 */
void	 yamldoc_print_messages(const struct yamldoc *, FILE *);

#endif
