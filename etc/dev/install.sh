#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What "make install" does, from $BUILD to $DESTDIR.  Every file is put
# where the system looks for it, with the paths of this installation; a
# configuration that exists is never touched.
set -eu
cd "$(dirname "$0")/../.."

share=$PREFIX/share
examples=$share/examples/registryd
text=$(mktemp)
trap 'rm -f "$text"' EXIT

# MODE FILE TARGET
put() {
	mkdir -p "$DESTDIR${3%/*}"
	install -m "$1" "$2" "$DESTDIR$3"
}

# The same for text that names /usr/local or a file in /etc.
put_text() {
	sed -e "s,/etc/registryd\.yml,$SYSCONFDIR/registryd.yml,g" \
	    -e "s,/etc/authd\.yml,$SYSCONFDIR/authd.yml,g" \
	    -e "s,/usr/local/,$PREFIX/,g" "$2" >"$text"
	put "$1" "$text" "$3"
}

for program in registryd authd registryctl authctl; do
	put 755 "$BUILD/$program" "$PREFIX/sbin/$program"
done
for page in registryd/*.[1-8] authd/*.[1-8]; do
	put_text 644 "$page" "$share/man/man${page##*.}/${page##*/}"
done
for conf in registryd.yml authd.yml; do
	put_text 644 etc/$conf "$examples/$conf"
	[ -e "$DESTDIR$SYSCONFDIR/$conf" ] ||
	    put_text 644 etc/$conf "$SYSCONFDIR/$conf"
done

put 644 etc/pam.d/authd "$examples/pam.d/authd"
if [ "$OS" = linux ] && ! [ -e "$DESTDIR$SYSCONFDIR/pam.d/authd" ]; then
	put 644 etc/pam.d/authd "$SYSCONFDIR/pam.d/authd"
fi

for daemon in registryd authd; do
	put_text 755 rc.d/$daemon "$examples/rc.d/$daemon"
	put_text 755 rc.d/openbsd/$daemon "$examples/rc.d/openbsd/$daemon"
	case $OS in
	linux)
		lib=$PREFIX/lib
		put_text 644 etc/systemd/$daemon.service \
		    "$lib/systemd/system/$daemon.service"
		put 644 etc/systemd/$daemon.sysusers \
		    "$lib/sysusers.d/$daemon.conf"
		put 644 etc/systemd/$daemon.tmpfiles \
		    "$lib/tmpfiles.d/$daemon.conf"
		;;
	freebsd) put_text 755 rc.d/$daemon "$PREFIX/etc/rc.d/$daemon" ;;
	netbsd) put_text 755 rc.d/$daemon "$SYSCONFDIR/rc.d/$daemon" ;;
	openbsd) put_text 755 rc.d/openbsd/$daemon /etc/rc.d/$daemon ;;
	esac
done
