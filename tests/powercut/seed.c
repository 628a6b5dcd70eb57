/* SPDX-License-Identifier: ISC */
/*
 * In the guest: "seed HEX" gives the kernel new randomness.  Guests that
 * were restored from one saved state would else draw the same random names.
 */
#include <sys/ioctl.h>

#include <err.h>
#include <fcntl.h>
#include <linux/random.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEED_MAX	128

int
main(int argc, char *argv[])
{
	struct rand_pool_info	*info;
	size_t			 len;
	int			 fd;

	if (argc != 2 || (len = strlen(argv[1])) > SEED_MAX)
		errx(2, "usage: seed HEX");
	if ((info = calloc(1, sizeof(*info) + len)) == NULL)
		err(1, "memory");
	info->entropy_count = (int)len * 4;
	info->buf_size = (int)len;
	memcpy(info->buf, argv[1], len);
	if ((fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC)) == -1)
		err(1, "/dev/urandom");
	if (ioctl(fd, RNDADDENTROPY, info) == -1)
		err(1, "RNDADDENTROPY");
	if (ioctl(fd, RNDRESEEDCRNG) == -1)
		err(1, "RNDRESEEDCRNG");
	free(info);
	close(fd);
	return 0;
}
