#!/bin/sh
# SPDX-License-Identifier: ISC
#
# usage: build.sh [-d]
#
# Makes what the guest boots, in $BUILD/powercut: the kernel (Debian's cloud
# kernel, 27 MB, downloaded once and unpacked, never installed) and initrd:
# busybox, registryd, registryctl, their libraries and guest.sh as /init.
# With -d Debian's docker-registry is in it as well.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
BUILD=$(cd "${BUILD:-$here/../../build}" && pwd)
to=$BUILD/powercut
root=$to/root
MODULES='virtio_pci virtio_mmio virtio_blk virtio_net xfs btrfs'
# Whatever the modules above ask for by name of an algorithm.
MODULES="$MODULES crc32c-intel xxhash_generic blake2b_generic"

die() {
	echo "build.sh: $*" >&2
	exit 1
}

kernel_package() {
	apt-cache depends linux-image-cloud-amd64 2>/dev/null |
	    sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1
}

fetch_kernel() {
	tmp=$to/fetch.$$
	mkdir -p "$tmp"
	package=$(kernel_package)
	if [ -z "$package" ] && [ "$(id -u)" -eq 0 ]; then
		apt-get -q update >"$tmp/log" 2>&1 || true
		package=$(kernel_package)
	fi
	[ -n "$package" ] || die "apt knows no linux-image-cloud-amd64"
	# The lists may name a version that the archive has replaced.
	(cd "$tmp" && { apt-get -q download "$package" ||
	    { apt-get -q update && apt-get -q download "$package"; }; }) \
	    >"$tmp/log" 2>&1 || { cat "$tmp/log" >&2; die "no $package"; }
	dpkg-deb -x "$tmp"/linux-image-*.deb "$tmp/x"
	rm -rf "$to/kernel"
	mkdir "$to/kernel"
	mv "$tmp"/x/boot/vmlinuz-* "$to/kernel/vmlinuz"
	version=$(ls "$tmp/x/lib/modules")
	for module in $MODULES; do
		keep_module "$tmp/x/lib/modules/$version" "$module"
	done
	busybox depmod -b "$to/kernel" "$version"
	rm -rf "$tmp"
}

# TREE NAME: move a module, and those that it depends on, to the kernel's.
keep_module() {
	path=$(find "$1" "$to/kernel/lib" -name "$(echo "$2" |
	    sed 's/[-_]/[-_]/g').ko" 2>/dev/null | head -n 1)
	[ -n "$path" ] || die "no module $2"
	case $path in
	"$to"/kernel/*) return ;;
	esac
	into=$to/kernel/lib/modules/$version/${path#"$1/"}
	mkdir -p "${into%/*}"
	mv "$path" "$into"
	for needed in $(tr '\0' '\n' <"$into" |
	    sed -n 's/^depends=//p' | tr , ' '); do
		keep_module "$1" "$needed"
	done
}

# PROGRAM: with its libraries, at the same paths.
add_program() {
	mkdir -p "$root/bin"
	cp "$1" "$root/bin/"
	ldd "$1" | sed -n 's/.*[ 	]\(\/[^ ]*\) (0x.*/\1/p' |
	while IFS= read -r library; do
		mkdir -p "$root${library%/*}"
		cp -L "$library" "$root$library"
	done
}

[ -f "$to/kernel/vmlinuz" ] || fetch_kernel
rm -rf "$root"
mkdir -p "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/etc" \
    "$root/tmp" "$root/store"
cp -R "$to/kernel/lib" "$root/lib"
cp "$(command -v busybox)" "$root/bin/busybox"
add_program "$BUILD/registryd"
add_program "$BUILD/registryctl"
add_program "$BUILD/tests/powercut/seed"
if [ "${1:-}" = -d ]; then
	add_program "$(command -v docker-registry)"
fi
cp "$here/guest.sh" "$root/init"
chmod 755 "$root/init"
(cd "$root" && find . | busybox cpio -o -H newc) >"$to/initrd.new" \
    2>/dev/null
mv "$to/initrd.new" "$to/initrd"
rm -rf "$root"
