/* SPDX-License-Identifier: ISC */
/*
 * The values of a configuration as text, one by one: that is how it goes from
 * the parent to its children.  And its life: defaults, end.  Used in every
 * process, at start only.
 */
#include "conf.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "conf_key.h"
#include "json.h"
#include "str.h"
#include "xmem.h"

size_t
conf_nvalues(void)
{
	return conf_nkeys;
}

/* The parent cannot go on without a part of its configuration. */
static void
array_add(json_t *array, const char *item)
{
	if (json_array_append_new(array, json_string(item)) == -1)
		fatalx("configuration: out of memory");
}

/* Takes the array. */
static char *
array_text(json_t *array)
{
	char *text = json_dumps(array, JSON_COMPACT);

	json_decref(array);
	if (text == NULL)
		fatalx("configuration: out of memory");
	return text;
}

static char *
list_text(const struct conf_list *list)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < list->n; i++)
		array_add(array, list->items[i]);
	return array_text(array);
}

/* ["name","value","name","value"] */
static char *
pairs_text(const struct conf_pairs *pairs)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < pairs->n; i++) {
		array_add(array, pairs->items[i].name);
		array_add(array, pairs->items[i].value);
	}
	return array_text(array);
}

char *
conf_get_value(const struct registry_conf *conf, size_t i)
{
	const struct conf_key *key = i < conf_nkeys ? &conf_keys[i] : NULL;
	const void *member;
	uint64_t v;

	if (key == NULL || conf_key_is_unset(conf, key))
		return NULL;
	member = conf_key_member_const(conf, key);
	switch (key->type) {
	case CONF_STRING:
		return xstrdup(*(char *const *)member);
	case CONF_LIST:
		return list_text(member);
	case CONF_FIELDS:
	case CONF_HEADERS:
		return pairs_text(member);
	default:
		break;
	}
	v = conf_key_number(conf, key);
	if (key->type == CONF_BOOL)
		return xstrdup(v != 0 ? "true" : "false");
	if (key->type == CONF_ENUM)
		return xstrdup(key->words[v]);
	if (key->type == CONF_DURATION && key->words != NULL &&
	    v == CONF_NO_DURATION)
		return xstrdup(key->words[0]);
	if (key->type == CONF_DURATION)
		return xasprintf("%" PRIu64 "ms", v);
	if (key->type == CONF_SECONDS)
		return xasprintf("%" PRIu64 "s", v);
	return xasprintf("%" PRIu64, v);
}

static int
set_number(struct registry_conf *conf, const struct conf_key *key,
    const char *text)
{
	uint64_t v;
	int word, r = -1;

	switch (key->type) {
	case CONF_BOOL:
		v = strcmp(text, "true") == 0;
		r = v || strcmp(text, "false") == 0 ? 0 : -1;
		break;
	case CONF_ENUM:
		word = conf_key_word(key, text);
		v = (uint64_t)word;
		r = word == -1 ? -1 : 0;
		break;
	case CONF_DURATION:
	case CONF_SECONDS:
		if (key->words != NULL && conf_key_word(key, text) == 0) {
			conf_key_set_number(conf, key, CONF_NO_DURATION);
			return 0;
		}
		r = str_parse_duration(text, &v);
		if (r == 0 && key->type == CONF_SECONDS)
			v = (v + 999) / 1000;
		break;
	default:
		r = str_parse_size(text, &v);
		break;
	}
	if (r == -1 || v < key->min || v > key->max)
		return -1;
	conf_key_set_number(conf, key, v);
	return 0;
}

static int
set_list(void *member, enum conf_type type, const char *text)
{
	bool pairs = type != CONF_LIST;
	const char *item, *value;
	char error[128];
	json_t *array;
	size_t i, n;

	array = json_load_strict(text, strlen(text), error, sizeof(error));
	if (!json_is_array(array))
		goto bad;
	n = json_array_size(array);
	if (pairs && n % 2 != 0)
		goto bad;
	for (i = 0; i < n; i++) {
		if (!json_is_string(json_array_get(array, i)))
			goto bad;
	}
	if (pairs)
		conf_pairs_clear(member);
	else
		conf_list_clear(member);
	for (i = 0; i < n; i += pairs ? 2 : 1) {
		item = json_string_value(json_array_get(array, i));
		value = json_string_value(json_array_get(array, i + 1));
		if (pairs)
			conf_pairs_add(member, item, value);
		else
			conf_list_add(member, item);
	}
	json_decref(array);
	return 0;
bad:
	json_decref(array);
	return -1;
}

int
conf_set_value(struct registry_conf *conf, size_t i, const char *text)
{
	const struct conf_key *key = i < conf_nkeys ? &conf_keys[i] : NULL;
	char **string;

	if (key == NULL)
		return -1;
	switch (key->type) {
	case CONF_STRING:
		if (key->words != NULL && conf_key_word(key, text) == -1)
			return -1;
		string = conf_key_member(conf, key);
		free(*string);
		*string = xstrdup(text);
		return 0;
	case CONF_LIST:
	case CONF_FIELDS:
	case CONF_HEADERS:
		return set_list(conf_key_member(conf, key), key->type, text);
	default:
		return set_number(conf, key, text);
	}
}

bool
conf_has_monitor(const struct registry_conf *conf)
{
	return conf->debug_addr != NULL && conf->metrics_enabled;
}

struct registry_conf *
conf_new(void)
{
	struct registry_conf *conf = xcalloc(1, sizeof(*conf));
	size_t i;

	conf->http = http_limits_default;
	for (i = 0; i < conf_nkeys; i++) {
		if (conf_keys[i].def != NULL)
			(void)conf_set_value(conf, i, conf_keys[i].def);
	}
	return conf;
}

void
conf_free(struct registry_conf *conf)
{
	const struct conf_key *key;
	void *member;
	size_t i;

	if (conf == NULL)
		return;
	for (i = 0; i < conf_nkeys; i++) {
		key = &conf_keys[i];
		member = conf_key_member(conf, key);
		if (key->type == CONF_STRING)
			free(*(char **)member);
		else if (key->type == CONF_LIST)
			conf_list_clear(member);
		else if (key->type == CONF_FIELDS || key->type == CONF_HEADERS)
			conf_pairs_clear(member);
	}
	free(conf);
}
