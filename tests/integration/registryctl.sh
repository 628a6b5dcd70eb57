# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154
#
# For the tests of registryctl, after lib.sh:
#
#   ctl COMMAND...            with the registryd's configuration
#   exits STATUS COMMAND...   it ends with that; what it wrote is in $T/out
#                             and $T/err
#   says PATTERN              the last one did, as an error
#   shown PATTERN             the last one did, as its result

ctl() {
	"$BUILD/registryctl" -f "$T/registryd.yml" "$@"
}

exits() {
	want=$1
	shift
	ctl "$@" >"$T/out" 2>"$T/err" </dev/null
	got=$?
	[ $got -eq "$want" ] || { echo "$got: $(cat "$T/err")"; return 1; }
}

says() {
	grep -Eq -- "$1" "$T/err" || { cat "$T/err"; return 1; }
}

shown() {
	grep -Eq -- "$1" "$T/out" || { cat "$T/out"; return 1; }
}
