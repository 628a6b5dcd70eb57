/* SPDX-License-Identifier: ISC */
/*
 * Networks of access rules and of proxies, and the addresses held against
 * them.  Runs in the broker, in workers and in authctl.  An address that is
 * none (a client on a local socket) is in no network.
 */
#include "acl.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "str.h"

#define ADDRESS_SIZE	64

static const unsigned char mapped[12] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
};

/* The address as it is written, which may be a mapped one. */
static int
address_parse(unsigned char address[16], const char *text)
{
	char	 copy[ADDRESS_SIZE];

	if (str_copy(copy, sizeof(copy), text) == -1)
		return -1;
	copy[strcspn(copy, "%")] = '\0';
	memset(address, 0, 16);
	if (inet_pton(AF_INET, copy, address) == 1)
		return AF_INET;
	if (inet_pton(AF_INET6, copy, address) == 1)
		return AF_INET6;
	return -1;
}

static bool
prefix_equal(const unsigned char *a, const unsigned char *b, unsigned bits)
{
	unsigned	 rest;

	if (memcmp(a, b, bits / 8) != 0)
		return false;
	rest = bits % 8;
	return rest == 0 || ((a[bits / 8] ^ b[bits / 8]) >> (8 - rest)) == 0;
}

static bool
has_host_bits(const struct acl_network *network, unsigned bits)
{
	unsigned char	 zero[16] = { 0 };
	unsigned char	 host[16];
	unsigned	 i;

	memcpy(host, network->address, sizeof(host));
	for (i = 0; i < network->prefix; i++)
		host[i / 8] &= (unsigned char)~(0x80u >> (i % 8));
	return !prefix_equal(host, zero, bits);
}

const char *
acl_network_parse(struct acl_network *network, const char *text)
{
	char		 address[ADDRESS_SIZE];
	size_t		 len;
	uint64_t	 prefix;
	unsigned	 bits;

	len = strcspn(text, "/");
	if (len >= sizeof(address) || memchr(text, '%', len) != NULL)
		return "not an address";
	memcpy(address, text, len);
	address[len] = '\0';
	network->family = address_parse(network->address, address);
	if (network->family == -1)
		return "not an address";
	bits = network->family == AF_INET ? 32 : 128;
	prefix = bits;
	if (text[len] == '/' && str_parse_u64(text + len + 1,
	    strlen(text + len + 1), bits, &prefix) == -1)
		return "the length of the prefix is wrong";
	network->prefix = (unsigned)prefix;
	if (has_host_bits(network, bits))
		return "there are bits set behind the prefix";
	if (network->family == AF_INET6 && network->prefix >= 96 &&
	    memcmp(network->address, mapped, sizeof(mapped)) == 0) {
		network->family = AF_INET;
		network->prefix -= 96;
		memmove(network->address, network->address + 12, 4);
	}
	return NULL;
}

int
acl_address_parse(unsigned char address[16], const char *text)
{
	int	 family = address_parse(address, text);

	if (family == AF_INET6 &&
	    memcmp(address, mapped, sizeof(mapped)) == 0) {
		family = AF_INET;
		memmove(address, address + 12, 4);
	}
	return family;
}

bool
acl_network_has(const struct acl_network *network, const char *text)
{
	unsigned char	 address[16];
	int		 family;

	family = acl_address_parse(address, text);
	return family == network->family &&
	    prefix_equal(address, network->address, network->prefix);
}
