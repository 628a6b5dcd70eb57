/* SPDX-License-Identifier: ISC */
/*
 * In the guest: "seed HEX" gives the kernel new randomness.  Guests that
 * were restored from one saved state would else draw the same random names.
 */
#include <sys/ioctl.h>

#include <err.h>
#include <fcntl.h>
#include <linux/random.h>
#include <string.h>

#define SEED_MAX	128

struct seed {
	struct rand_pool_info	 info;
	char			 text[SEED_MAX];
};

int
main(int argc, char *argv[])
{
	struct seed	 seed;
	size_t		 len;
	int		 fd;

	if (argc != 2 || (len = strlen(argv[1])) > SEED_MAX)
		errx(2, "usage: seed HEX");
	memset(&seed, 0, sizeof(seed));
	seed.info.entropy_count = (int)len * 4;
	seed.info.buf_size = (int)len;
	memcpy(&seed.info.buf, argv[1], len);
	if ((fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC)) == -1)
		err(1, "/dev/urandom");
	if (ioctl(fd, RNDADDENTROPY, &seed) == -1)
		err(1, "RNDADDENTROPY");
	if (ioctl(fd, RNDRESEEDCRNG) == -1)
		err(1, "RNDRESEEDCRNG");
	return 0;
}
