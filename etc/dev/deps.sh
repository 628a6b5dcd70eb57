#!/bin/sh
# SPDX-License-Identifier: ISC
#
# usage: deps.sh [-n] SET...	(build test lint fuzz bench powercut)
#
# -n only lists what is missing, on standard output.  Otherwise installs
# the Debian packages of those sets that are missing, as root or by sudo;
# elsewhere lists them and exits 1.  Quick and silent when none is missing.
set -eu

build='gcc libc6-dev make pkg-config libevent-dev libssl-dev libjansson-dev
    libyaml-dev libpam0g-dev libldap-dev libcrypt-dev libsqlite3-dev
    node-llhttp'
# ps, openssl, ss and htpasswd are used by integration tests; systemd for its
# unit checker, docker-registry to serve the same directories as we do; qemu
# (35 MB with what it needs) for power cuts and for hosts on a file server,
# whose kernel, 27 MB more, is fetched by tests/guest.sh; in it is NFS, client
# and server, and all that either needs.
test='libcmocka-dev libjwt-dev curl jq openssl procps iproute2 busybox-static
    apache2-utils docker.io docker-registry skopeo podman buildah
    golang-github-containers-common systemd util-linux slapd ldap-utils
    strace binutils spin e2fsprogs mount
    qemu-system-x86'
lint='clang clang-tidy cppcheck mandoc shellcheck git'
fuzz='clang llvm libclang-rt-14-dev'
bench='curl jq wrk docker-registry procps strace'
powercut='xfsprogs btrfs-progs'

# What stands in for the packages where there is no dpkg: each one a
# program, or a header that the compiler must find.
has_without_dpkg() {
	case $1 in
	libc6-dev) return 0 ;;
	pkg-config) command -v pkg-config || command -v pkgconf ;;
	libevent-dev) pkg-config --exists libevent_core ;;
	libssl-dev) pkg-config --exists 'openssl >= 3' ;;
	libjansson-dev) pkg-config --exists jansson ;;
	libyaml-dev) pkg-config --exists yaml-0.1 ;;
	libjwt-dev) pkg-config --exists libjwt ;;
	libpam0g-dev) pkg-config --exists pam ;;
	libsqlite3-dev) pkg-config --exists sqlite3 ;;
	libldap-dev) pkg-config --exists ldap lber ;;
	ldap-utils) command -v ldapmodify ;;
	libcrypt-dev) pkg-config --exists libcrypt ;;
	node-llhttp) pkg-config --exists libllhttp ;;
	libcmocka-dev) pkg-config --exists cmocka ;;
	apache2-utils) command -v htpasswd ;;
	iproute2) command -v ss ;;
	procps) command -v ps ;;
	busybox-static) command -v busybox ;;
	docker.io) command -v dockerd ;;
	systemd) command -v systemd-analyze ;;
	binutils) command -v nm ;;
	util-linux) command -v setpriv ;;
	qemu-system-x86) command -v qemu-system-x86_64 ;;
	xfsprogs) PATH=$PATH:/sbin:/usr/sbin command -v mkfs.xfs ;;
	btrfs-progs) PATH=$PATH:/sbin:/usr/sbin command -v mkfs.btrfs ;;
	e2fsprogs) command -v mkfs.ext4 ;;
	golang-github-containers-common) [ -f /etc/containers/policy.json ] ;;
	libclang-rt-14-dev|llvm) return 0 ;;
	*) command -v "$1" ;;
	esac >/dev/null 2>&1
}

missing() {
	if command -v dpkg-query >/dev/null; then
		# shellcheck disable=SC2016
		have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' \
		    "$@" 2>/dev/null | sed -n 's/^installed //p')
	else
		have=$(for p; do has_without_dpkg "$p" && echo "$p"; done) ||
		    true
	fi
	# Docker's own packages do as well, and must not be replaced.
	if command -v dockerd >/dev/null; then
		have="$have
docker.io"
	fi
	for p; do
		printf '%s\n' "$have" | grep -qxF "$p" || printf '%s ' "$p"
	done
}

# Packages that bring a service (docker-registry listens on port 5000) are
# for the tests: they must not start here.
install_packages() {
	policy=/usr/sbin/policy-rc.d
	if ! [ -e $policy ] && [ -d /run/systemd/system ]; then
		printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy >/dev/null
		$sudo chmod 755 $policy
		trap '$sudo rm -f $policy' EXIT
	fi
	run="$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y"
	opt='--no-remove --no-install-recommends'
	# The first fails where the package lists are missing or old.
	# shellcheck disable=SC2086
	$run install $opt "$@" || { $run update && $run install $opt "$@"; }
}

only_list=
if [ "${1:-}" = -n ]; then
	only_list=1
	shift
fi
wanted=
for set in "${@:-build}"; do
	case $set in
	build) wanted="$wanted $build" ;;
	test) wanted="$wanted $test" ;;
	lint) wanted="$wanted $lint" ;;
	fuzz) wanted="$wanted $fuzz" ;;
	bench) wanted="$wanted $bench" ;;
	powercut) wanted="$wanted $powercut" ;;
	*) echo "deps.sh: unknown set $set" >&2; exit 2 ;;
	esac
done

# shellcheck disable=SC2086
todo=$(missing $wanted)
[ -n "$todo" ] || exit 0
if [ -n "$only_list" ]; then
	echo "$todo"
	exit 0
fi

sudo=
if ! command -v apt-get >/dev/null; then
	echo "missing (by Debian's names): $todo" >&2
	exit 1
elif [ "$(id -u)" -ne 0 ]; then
	if command -v sudo >/dev/null; then
		sudo=sudo
	else
		echo "missing packages: $todo" >&2
		echo "as root: apt-get install $todo" >&2
		exit 1
	fi
fi
echo "installing: $todo"
# shellcheck disable=SC2086
install_packages $todo
