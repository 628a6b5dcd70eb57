#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Sourced by what makes guests for qemu: a kernel with some of its modules,
# and an initrd of busybox and programs of ours.
#
#   guest_kernel TO MODULES	TO/kernel: Debian's cloud kernel, 27 MB, which
#			is downloaded once for all guests of $BUILD and
#			unpacked, never installed; MODULES and what they need
#   guest_begin TO	TO/root, with busybox and those modules
#   guest_add PROGRAM...	with their libraries, in /bin
#   guest_end TO	TO/initrd instead of TO/root

guest_die() {
	echo "guest.sh: $*" >&2
	exit 1
}

guest_package() {
	apt-cache depends linux-image-cloud-amd64 2>/dev/null |
	    sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1
}

# Two guests may be made at the same time: it gets its name when it is whole.
guest_download() {
	tmp=$BUILD/guest/fetch.$$
	mkdir -p "$tmp"
	package=$(guest_package)
	if [ -z "$package" ] && [ "$(id -u)" -eq 0 ]; then
		apt-get -q update >"$tmp/log" 2>&1 || true
		package=$(guest_package)
	fi
	[ -n "$package" ] || guest_die "apt knows no linux-image-cloud-amd64"
	# The lists may name a version that the archive has replaced.
	(cd "$tmp" && { apt-get -q download "$package" ||
	    { apt-get -q update && apt-get -q download "$package"; }; }) \
	    >"$tmp/log" 2>&1 || {
		cat "$tmp/log" >&2
		guest_die "no $package"
	}
	mv "$tmp"/linux-image-*.deb "$BUILD/guest/linux.deb"
	rm -rf "$tmp"
}

# TREE NAME: move a module, and those that it depends on, to the kernel's.
guest_keep_module() {
	path=$(find "$1" "$kernel/lib" -name "$(echo "$2" |
	    sed 's/[-_]/[-_]/g').ko" 2>/dev/null | head -n 1)
	[ -n "$path" ] || guest_die "no module $2"
	case $path in
	"$kernel"/*) return ;;
	esac
	into=$kernel/lib/modules/$version/${path#"$1/"}
	mkdir -p "${into%/*}"
	mv "$path" "$into"
	for needed in $(tr '\0' '\n' <"$into" |
	    sed -n 's/^depends=//p' | tr , ' '); do
		guest_keep_module "$1" "$needed"
	done
}

guest_kernel() {
	kernel=$1/kernel
	[ "$(cat "$kernel/modules" 2>/dev/null)" != "$2" ] || return 0
	[ -f "$BUILD/guest/linux.deb" ] || guest_download
	rm -rf "$kernel" "$1/unpacked"
	mkdir -p "$kernel"
	dpkg-deb -x "$BUILD/guest/linux.deb" "$1/unpacked"
	mv "$1"/unpacked/boot/vmlinuz-* "$kernel/vmlinuz"
	version=$(ls "$1/unpacked/lib/modules")
	for module in $2; do
		guest_keep_module "$1/unpacked/lib/modules/$version" "$module"
	done
	busybox depmod -b "$kernel" "$version"
	rm -rf "$1/unpacked"
	echo "$2" >"$kernel/modules"
}

guest_begin() {
	guest_root=$1/root
	rm -rf "$guest_root"
	for dir in bin dev proc sys etc tmp store; do
		mkdir -p "$guest_root/$dir"
	done
	cp -R "$1/kernel/lib" "$guest_root/lib"
	cp "$(command -v busybox)" "$guest_root/bin/busybox"
}

guest_add() {
	for program; do
		cp "$program" "$guest_root/bin/"
		ldd "$program" | sed -n 's/.*[ 	]\(\/[^ ]*\) (0x.*/\1/p' |
		while IFS= read -r library; do
			mkdir -p "$guest_root${library%/*}"
			cp -L "$library" "$guest_root$library"
		done
	done
}

guest_end() {
	(cd "$guest_root" && find . | busybox cpio -o -H newc) \
	    >"$1/initrd.new" 2>/dev/null
	mv "$1/initrd.new" "$1/initrd"
	rm -rf "$guest_root"
}
