#!/bin/sh
# SPDX-License-Identifier: ISC
# Groups from an htgroup file: united with those of the configuration, and
# read again when the file changes; what is wrong with it takes nobody's
# rights away.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh
make_token_key
make_users
printf 'ops: alice\n# none\nteam2: bob\nops: carol\n' >"$T/htgroup"
authd_conf >"$T/authd.yml"
cat >>"$T/authd.yml" <<-CONF
	htgroup: $T/htgroup
CONF
rule='{group: ops, repository: "ops/**", actions: [pull]}'
sed -i "s;^access:;&\\n  - $rule;" "$T/authd.yml"
start_authd "$T/authd.yml"

may() {
	ask "$1" "scope=repository:$2:pull"
	[ "$(claims '.access | length')" = 1 ]
}

may_not() {
	! may "$@"
}

A=alice:alice-pw B=bob:bob-pw
check "alice is in a group of the file" may $A ops/x
check "bob is not" may_not $B ops/x
check "nobody is in no group" may_not - ops/x
check "explain knows the file" sh -c "'$BUILD/authctl' explain \
    -f '$T/authd.yml' alice repository:ops/x:pull |
    grep -q 'granted: repository:ops/x:pull'"

echo 'ops: bob' >"$T/htgroup"
check "rewritten: bob is in it" wait_until 3 may $B ops/x
check "alice is not any more" may_not $A ops/x
echo 'ops bob' >>"$T/htgroup"
check "a wrong line is named" wait_log "$AUTHD_LOG" 'htgroup:2: accepted' 3
check "the old groups stay" may $B ops/x
printf 'ops: alice\n' >"$T/htgroup.new"
mv "$T/htgroup.new" "$T/htgroup"
check "replaced: alice is back" wait_until 3 may $A ops/x

for pid in $(pids broker); do
	kill -9 "$pid"
done
check "a new broker knows the groups, too" wait_until 5 may $A ops/x
check "and nobody else's" may_not $B ops/x

printf 'ops: a\\\n b\nx y: z\n:u\nok: d\n' >"$T/htgroup"
"$BUILD/authd" -n -f "$T/authd.yml" >"$T/n" 2>&1
expect "authd -n refuses it" 1 $?
expect "and names each line" "1 2 3 4" "$(sed -n \
    's/^error: .*htgroup:\([0-9]*\): .*/\1/p' "$T/n" | tr '\n' ' ' |
    sed 's/ $//')"
