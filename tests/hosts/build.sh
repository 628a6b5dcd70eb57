#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Makes what the guest boots, in $BUILD/hosts: the kernel and initrd: busybox,
# registryd, registryctl, programs for the checks, and guest.sh as /init.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
BUILD=$(cd "${BUILD:-$here/../../build}" && pwd)
to=$BUILD/hosts
MODULES='virtio_pci virtio_mmio virtio_blk veth nfsd nfsv4 crc32c-intel'
PATH=$PATH:/usr/sbin:/sbin
# shellcheck disable=SC1091
. "$here/../guest.sh"

guest_kernel "$to" "$MODULES"
guest_begin "$to"
guest_add "$BUILD/registryd" "$BUILD/registryctl" "$(command -v curl)" \
    "$(command -v jq)" "$(command -v ip)" "$(command -v setpriv)"
mkdir "$to/root/tests"
cp "$here/../integration/lib.sh" "$here"/checks*.sh "$to/root/tests/"
cp "$here/guest.sh" "$to/root/init"
chmod 755 "$to/root/init"
guest_end "$to"
