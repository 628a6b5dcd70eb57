#!/bin/sh
# SPDX-License-Identifier: ISC
#
# "make install" puts everything where its paths say, and leaves a
# configuration that exists as it is.
cd "$(dirname "$0")" && . ./lib.sh

root=$(cd "$TESTS/.." && pwd)
install_to() {
	(cd "$root" && OS=linux BUILD="$BUILD" DESTDIR="$T/d" \
	    PREFIX=/opt/reg SYSCONFDIR=/opt/reg/etc etc/dev/install.sh)
}
check "install" install_to
prefix=$T/d/opt/reg
examples=$prefix/share/examples/registryd
for program in registryd authd registryctl authctl; do
	check "sbin/$program runs" "$prefix/sbin/$program" --version
done
for page in registryd.8 registryctl.8 authd.8 authctl.8; do
	check "$page" [ -s "$prefix/share/man/man8/$page" ]
done
for page in registryd.yml.5 authd.yml.5; do
	check "$page" [ -s "$prefix/share/man/man5/$page" ]
done
for daemon in registryd authd; do
	unit=$prefix/lib/systemd/system/$daemon.service
	check "$daemon.service names the program" \
	    grep -q "^ExecStart=/opt/reg/sbin/$daemon -f" "$unit"
	check "$daemon.service names the configuration" \
	    grep -q "/opt/reg/etc/$daemon.yml" "$unit"
	check "$daemon has its users" \
	    [ -s "$prefix/lib/sysusers.d/$daemon.conf" ]
	check "$daemon has its directory" \
	    [ -s "$prefix/lib/tmpfiles.d/$daemon.conf" ]
	check "rc.d/$daemon" [ -x "$examples/rc.d/$daemon" ]
	check "$daemon.yml" [ -s "$prefix/etc/$daemon.yml" ]
done
check "the manual names the configuration" \
    grep -q '/opt/reg/etc/registryd.yml' "$prefix/share/man/man8/registryd.8"
echo "mine" >"$prefix/etc/registryd.yml"
check "install again" install_to
expect "the configuration stays" mine "$(cat "$prefix/etc/registryd.yml")"
check "the new example is beside it" \
    [ -s "$examples/registryd.yml" ]
