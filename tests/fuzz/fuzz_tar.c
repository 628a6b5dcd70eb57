/* SPDX-License-Identifier: ISC */
/*
 * Tar headers: members have names that end, sizes that fit an offset; what
 * is written can be read back.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tar.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int ok)
{
	if (!ok)
		abort();
}

static void
write_again(const struct tar_member *m)
{
	unsigned char block[TAR_BLOCK];
	struct tar_extra none;
	struct tar_member again;

	if (m->type != TAR_FILE || m->name[0] == '\0' ||
	    tar_format(block, m->name, m->size) == -1)
		return;
	memset(&none, 0, sizeof(none));
	must(tar_parse(&again, block, &none) == 0);
	must(again.type == TAR_FILE && again.size == m->size);
	must(strcmp(again.name, m->name) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	unsigned char block[TAR_BLOCK];
	struct tar_extra extra;
	struct tar_member m;
	size_t size;

	memset(&extra, 0, sizeof(extra));
	while (len >= TAR_BLOCK) {
		memcpy(block, data, TAR_BLOCK);
		data += TAR_BLOCK;
		len -= TAR_BLOCK;
		if (tar_parse(&m, block, &extra) == -1 || m.type == TAR_END)
			return 0;
		must(strlen(m.name) < TAR_NAME_SIZE);
		must(m.size <= INT64_MAX);
		must((m.size + tar_padding(m.size)) % TAR_BLOCK == 0);
		write_again(&m);
		size = m.size < len ? (size_t)m.size : len;
		if ((m.type == TAR_PAX || m.type == TAR_LONG_NAME) &&
		    m.size <= len && m.size <= TAR_EXTRA_MAX &&
		    tar_take_extra(&extra, m.type, (const char *)data,
		    size) == -1)
			return 0;
		size += tar_padding(size);
		if (size > len)
			size = len;
		data += size;
		len -= size;
	}
	return 0;
}
