#!/bin/sh
# SPDX-License-Identifier: ISC
#
# usage: build.sh [-d]
#
# Makes what the guest boots, in $BUILD/powercut: the kernel and initrd:
# busybox, registryd, registryctl, their libraries and guest.sh as /init.
# With -d Debian's docker-registry is in it as well.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
BUILD=$(cd "${BUILD:-$here/../../build}" && pwd)
to=$BUILD/powercut
MODULES='virtio_pci virtio_mmio virtio_blk virtio_net xfs btrfs'
# Whatever the modules above ask for by name of an algorithm.
MODULES="$MODULES crc32c-intel xxhash_generic blake2b_generic"
# shellcheck disable=SC1091
. "$here/../guest.sh"

guest_kernel "$to" "$MODULES"
guest_begin "$to"
guest_add "$BUILD/registryd" "$BUILD/registryctl" "$BUILD/tests/powercut/seed"
if [ "${1:-}" = -d ]; then
	guest_add "$(command -v docker-registry)"
fi
cp "$here/guest.sh" "$to/root/init"
chmod 755 "$to/root/init"
guest_end "$to"
