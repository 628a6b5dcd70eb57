#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The files that run the daemons as services: systemd's checker takes the
# units, and the rc.d scripts start, reload, report and stop the daemons
# under a stub of their system's rc.subr.
cd "$(dirname "$0")" && . ./lib.sh

root=$TESTS/..
make_token_key
make_users
make_store
authd_conf >"$T/authd.yml"
registryd_conf >"$T/registryd.yml"

# ---- systemd ---------------------------------------------------------------

mkdir -p "$T/units" "$T/man"
for daemon in registryd authd; do
	sed -e "s,/usr/local/sbin/,$BUILD/,; /^Documentation/d" \
	    "$root/etc/systemd/$daemon.service" >"$T/units/$daemon.service"
done
check "systemd-analyze verify" systemd-analyze verify \
    "$T/units/registryd.service" "$T/units/authd.service"
expect "systemd-analyze verify is silent" "" "$(cat "$T/check.out")"
for daemon in registryd authd; do
	check "$daemon.service is hardened" systemd-analyze security \
	    --offline=true --threshold=35 "$T/units/$daemon.service"
	check "$daemon.sysusers" systemd-sysusers --root="$T/root" --dry-run \
	    "$root/etc/systemd/$daemon.sysusers"
done

# ---- rc.subr of FreeBSD and NetBSD -----------------------------------------

cat >"$T/rc.subr" <<'STUB'
load_rc_config() {
	. "$STUB_CONF"
}
run_rc_command() {
	eval "enabled=\${$rcvar:-NO}"
	[ "$enabled" = YES ] || { echo "$name is not enabled"; return 1; }
	for file in $required_files; do
		[ -r "$file" ] || { echo "no $file"; return 1; }
	done
	[ ! -f "$pidfile" ] || rc_pid=$(cat "$pidfile")
	case $1 in
	start) $start_cmd ;;
	stop) kill -TERM "$rc_pid" ;;
	reload) $reload_precmd && kill -HUP "$rc_pid" ;;
	status) kill -0 "$rc_pid" && echo "$name is running as $rc_pid" ;;
	configtest) $configtest_cmd ;;
	*) return 2 ;;
	esac
}
STUB

# logger(1) of the stub: what the daemon says, in a file.
mkdir "$T/bin"
printf '#!/bin/sh\nexec cat >>%s/rc-$2.log\n' "$T" >"$T/bin/logger"
printf '#!/bin/sh\necho "${STUB_OS:-FreeBSD}"\n' >"$T/bin/uname"
chmod 755 "$T/bin/logger" "$T/bin/uname"

install_rc() {
	sed -e "s,/usr/local/sbin/,$BUILD/," -e "s,/var/run/,$T/," \
	    -e "s,/etc/rc.d/rc.subr,$T/rc.subr," \
	    -e "s,/etc/rc.subr,$T/rc.subr," \
	    "$root/rc.d/$1" >"$T/$2"
	chmod 755 "$T/$2"
}

is_started() {
	log_has "$T/rc-$1.log" 'msg="?ready'
}

# NAME OS RCVAR: one life of the service.
try_rc() {
	daemon=$1
	STUB_OS=$2
	export STUB_OS
	echo "$3=YES ${daemon}_config=$T/$daemon.yml" >"$T/rc.conf"
	rm -f "$T/rc-$daemon.log" "$T/$daemon.pid"
	run="env PATH=$T/bin:$PATH STUB_CONF=$T/rc.conf sh $T/rc-$daemon"
	check "$2 $daemon configtest" $run configtest
	check "$2 $daemon start" $run start
	check "$2 $daemon is ready" wait_until 20 is_started "$daemon"
	pid=$(cat "$T/$daemon.pid")
	PIDS="$PIDS $pid"
	check "$2 $daemon status" $run status
	check "$2 $daemon reload" $run reload
	check "$2 $daemon says that it reloads" \
	    wait_log "$T/rc-$daemon.log" reload 10
	check "$2 $daemon stop" $run stop
	check "$2 $daemon has ended" wait_until 20 is_gone "$pid"
	echo "nothing: here" >"$T/bad.yml"
	echo "$3=YES ${daemon}_config=$T/bad.yml" >"$T/rc.conf"
	refuse "$2 $daemon start with a bad config" $run start
	: >"$T/rc.conf"
	refuse "$2 $daemon start when not enabled" $run start
}

for daemon in registryd authd; do
	check "rc.d/$daemon is sh" sh -n "$root/rc.d/$daemon"
	install_rc $daemon rc-$daemon
	try_rc $daemon FreeBSD ${daemon}_enable
	try_rc $daemon NetBSD $daemon
done

# ---- rc.subr of OpenBSD ----------------------------------------------------

cat >"$T/rc.subr" <<'STUB'
daemon_flags=$STUB_FLAGS
rc_pre() { :; }
rc_start() { rc_exec "${daemon} ${daemon_flags}"; }
rc_exec() {
	[ "${daemon_logger:-}" = daemon.info ] && [ "${rc_bg:-NO}" = YES ] ||
	    return 1
	$1 2>>"$STUB_LOG" &
	echo $! >"$STUB_PID"
}
rc_reload() { kill -HUP "$(cat "$STUB_PID")"; }
rc_check() { kill -0 "$(cat "$STUB_PID")"; }
rc_stop() { kill -TERM "$(cat "$STUB_PID")"; }
rc_cmd() {
	case $1 in
	start) rc_pre && rc_start ;;
	stop) rc_stop ;;
	reload) rc_configtest && rc_reload ;;
	check) rc_check ;;
	configtest) rc_configtest ;;
	*) return 2 ;;
	esac
}
STUB

for daemon in registryd authd; do
	check "rc.d/openbsd/$daemon is sh" sh -n "$root/rc.d/openbsd/$daemon"
	install_rc openbsd/$daemon rc-$daemon
	rm -f "$T/rc-$daemon.log" "$T/$daemon.pid"
	run="env STUB_LOG=$T/rc-$daemon.log STUB_PID=$T/$daemon.pid"
	bad="$run STUB_FLAGS=-f$T/bad.yml sh $T/rc-$daemon"
	run="$run STUB_FLAGS=-f$T/$daemon.yml sh $T/rc-$daemon"
	check "OpenBSD $daemon configtest" $run configtest
	check "OpenBSD $daemon start" $run start
	check "OpenBSD $daemon is ready" wait_until 20 is_started "$daemon"
	pid=$(cat "$T/$daemon.pid")
	PIDS="$PIDS $pid"
	check "OpenBSD $daemon check" $run check
	check "OpenBSD $daemon reload" $run reload
	check "OpenBSD $daemon says that it reloads" \
	    wait_log "$T/rc-$daemon.log" reload 10
	check "OpenBSD $daemon stop" $run stop
	check "OpenBSD $daemon has ended" wait_until 20 is_gone "$pid"
	refuse "OpenBSD $daemon start with a bad config" $bad start
done
