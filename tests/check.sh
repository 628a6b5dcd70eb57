#!/bin/sh
# SPDX-License-Identifier: ISC
#
# usage: check.sh [unit] [config] [fuzz] [integration [SCRIPT...]]
#
# Runs those tests (all by default) on the programs in $BUILD and prints
# "N passed, N failed" last.  Whatever cannot run has failed.
set -u

tests=$(cd "$(dirname "$0")" && pwd)
BUILD=$(cd "${BUILD:-$tests/../build}" && pwd) || exit 1
export BUILD
LIMIT=${LIMIT:-240}		# seconds for one integration script
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
trap 'exit 1' HUP INT TERM
passed=0 failed=0 skipped=0

result() {
	echo "$1"
	case $1 in
	ok*) passed=$((passed + 1)) ;;
	*) failed=$((failed + 1)) ;;
	esac
}

# N of cmocka's "[  PASSED  ] N test(s)", 0 without it.
cmocka_count() {
	sed -n "s/^\[  $1 *\] \([0-9]*\) test(s).*/\1/p" "$out/unit" |
	    awk '{ n += $1 } END { print n + 0 }'
}

run_unit() {
	for src in "$tests"/unit/*/test_*.c; do
		name=${src#"$tests"/}
		name=${name%.c}
		timeout -k 5 120 "$BUILD/tests/$name" >"$out/unit" 2>&1
		rc=$?
		good=$(cmocka_count PASSED)
		bad=$(cmocka_count FAILED)
		left=$(cmocka_count SKIPPED)
		if [ "$rc" -eq 0 ] && [ "$good" -gt 0 ] && [ "$bad" -eq 0 ]
		then
			echo "ok $name ($good)"
			[ "$left" -eq 0 ] || echo "skip $name ($left)"
		else
			[ "$bad" -gt 0 ] || bad=1
			cat "$out/unit"
			echo "FAIL $name (status $rc)"
		fi
		passed=$((passed + good))
		failed=$((failed + bad))
		skipped=$((skipped + left))
	done
}

# DAEMON-NAME.yml: what -nv prints is in NAME.ok, or what the errors are in
# NAME.err.  NAME.env holds lines VARIABLE=VALUE for the environment.
config_case() {
	name=$1 base=${1%.yml} daemon=${1%%-*}
	set --
	if [ -f "$base.env" ]; then
		while IFS= read -r line; do
			set -- "$@" "$line"
		done <"$base.env"
	fi
	env -i "$@" "$BUILD/$daemon" -nv -f "$name" >"$out/1" 2>"$out/2"
	rc=$?
	if [ -f "$base.err" ]; then
		[ $rc -eq 1 ] && diff -u "$base.err" "$out/2"
	else
		[ $rc -eq 0 ] && diff -u "$base.ok" "$out/1" &&
		    config_again "$daemon" "$out/1"
	fi
}

# The printed config means the same when read again.
config_again() {
	cp "$2" "$out/again.yml"
	env -i "$BUILD/$1" -nv -f "$out/again.yml" >"$out/3" 2>"$out/4" &&
	    diff -u "$2" "$out/3"
}

run_config() {
	cd "$tests/config" || exit 1
	for file in *.yml; do
		if config_case "$file"; then
			result "ok config/$file"
		else
			cat "$out/2"
			result "FAIL config/$file"
		fi
	done
	cd "$tests/../etc" || exit 1
	for daemon in registryd authd; do
		if "$BUILD/$daemon" -n -f $daemon.yml 2>"$out/2" &&
		    ! grep -i warn "$out/2"; then
			result "ok etc/$daemon.yml passes -n"
		else
			cat "$out/2"
			result "FAIL etc/$daemon.yml"
		fi
	done
	cd "$tests" || exit 1
}

run_fuzz() {
	for src in "$tests"/fuzz/fuzz_*.c; do
		name=$(basename "$src" .c)
		if timeout -k 5 120 "$BUILD/tests/fuzz/$name" \
		    "$("$tests/fuzz/run.sh" corpus "$name")" \
		    >"$out/fuzz" 2>&1; then
			result "ok fuzz/$name ($(tail -n 1 "$out/fuzz"))"
		else
			cat "$out/fuzz"
			result "FAIL fuzz/$name"
		fi
	done
}

# Two at a time: they wait more than they work.
run_integration() {
	cd "$tests/integration" || exit 1
	[ $# -gt 0 ] || set -- [0-9]*.sh regress_*.sh
	for script; do
		[ -f "$script" ] && echo "$script"
	done | xargs -P "${TEST_JOBS:-2}" -I '{}' \
	    "$tests/check.sh" one '{}' "$out" "$LIMIT"
	for script; do
		[ -f "$script" ] || continue
		good=$(grep -c '^ok ' "$out/$script.out")
		bad=$(grep -c '^FAIL ' "$out/$script.out")
		rc=$(cat "$out/$script.rc")
		left=$(grep -c '^skip ' "$out/$script.out")
		skipped=$((skipped + left))
		if [ "$bad" -eq 0 ] && { [ "$rc" -ne 0 ] ||
		    [ $((good + left)) -eq 0 ]; }; then
			bad=1
			echo "FAIL $script (status $rc, $good checks passed)"
		fi
		passed=$((passed + good))
		failed=$((failed + bad))
	done
	cd "$tests" || exit 1
}

# In a process of its own, by xargs.
run_one() {
	script=$1 to=$2
	begin=$(date +%s)
	timeout -k 20 "$3" sh "./$script" >"$to/$script.out" 2>&1 </dev/null
	rc=$?
	echo $rc >"$to/$script.rc"
	took=$(($(date +%s) - begin))
	if [ $rc -eq 0 ]; then
		grep '^skip ' "$to/$script.out"
		echo "ok $script ($(grep -c '^ok ' "$to/$script.out")," \
		    "$took s)"
	else
		cat "$to/$script.out"
		echo "---- $script: status $rc after $took s"
	fi
}

if [ "${1:-}" = one ]; then
	trap - EXIT
	rm -rf "$out"
	run_one "$2" "$3" "$4"
	exit 0
fi
[ $# -gt 0 ] || set -- unit config fuzz integration
while [ $# -gt 0 ]; do
	kind=$1
	shift
	case $kind in
	unit|config|fuzz) "run_$kind" ;;
	integration) run_integration "$@"; break ;;
	*) echo "check.sh: no tests called $kind" >&2; exit 2 ;;
	esac
done
if [ "$skipped" -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
