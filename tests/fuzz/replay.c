/* SPDX-License-Identifier: ISC */
/*
 * The main of a fuzzer where there is no libFuzzer: runs every file of the
 * corpus directories given, and every truncation of the small ones.  The
 * input lies in memory of exactly its size, so that AddressSanitizer sees
 * the first byte read too far.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRUNCATE_MAX	2048

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
run(const uint8_t *data, size_t len)
{
	uint8_t	*copy;

	copy = malloc(len > 0 ? len : 1);
	if (copy == NULL)
		err(1, "malloc");
	if (len > 0)
		memcpy(copy, data, len);
	(void)LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static size_t
replay_file(const char *dir, const char *name)
{
	char		 path[4096];
	struct stat	 st;
	uint8_t		*data;
	size_t		 len, i;
	FILE		*f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "rb");
	if (f == NULL || fstat(fileno(f), &st) == -1)
		err(1, "%s", path);
	if (!S_ISREG(st.st_mode)) {
		fclose(f);
		return 0;
	}
	len = (size_t)st.st_size;
	data = malloc(len + 1);
	if (data == NULL || fread(data, 1, len, f) != len)
		err(1, "%s", path);
	fclose(f);

	run(data, len);
	for (i = 0; len <= TRUNCATE_MAX && i < len; i++)
		run(data, i);
	free(data);
	return 1;
}

int
main(int argc, char *argv[])
{
	struct dirent	*entry;
	DIR		*dir;
	size_t		 n = 0;
	int		 i;

	for (i = 1; i < argc; i++) {
		dir = opendir(argv[i]);
		if (dir == NULL)
			err(1, "%s", argv[i]);
		while ((entry = readdir(dir)) != NULL)
			if (entry->d_name[0] != '.')
				n += replay_file(argv[i], entry->d_name);
		closedir(dir);
	}
	if (n == 0)
		errx(1, "no corpus");
	printf("%zu inputs\n", n);
	return 0;
}
