#!/bin/sh
# SPDX-License-Identifier: ISC
#
# registryctl believes what answers at the control socket only as far as it
# can be the answer of a registryd.
cd "$(dirname "$0")" && . ./lib.sh && . ./registryctl.sh

make_store
CONF_REGISTRYD="  control: $T/control.sock"
registryd_conf >"$T/registryd.yml"

# liar ANSWER: from now on that is what answers
liar() {
	rm -f "$T/control.sock"
	background "$T/liar.log" "$BUILD/tests/integration/liar_server" \
	    "$T/control.sock" "$1"
	PIDS="$PIDS $started"
	wait_until 5 test -s "$T/liar.log" || die "liar_server"
}

strange='control\.sock: what answers there is no registryd, or one of another'

for answer in '{"result":[1,2]}' '{"result":{}}' '{"result":"ok"}' \
    '{"result":{"parent":"1","tags":7,"done":false,"outcome":0}}'; do
	liar "$answer"
	for command in status collect 'collect --dry-run' scrub \
	    'repository list' 'tag list a' 'upload list' \
	    'repository remove a' 'tag remove a b' 'upload cancel a b' \
	    'readonly on' 'status --json'; do
		# shellcheck disable=SC2086
		check "$answer to $command" exits 3 $command &&
		    check "which it says" says "$strange"
		[ ! -s "$T/out" ] || fail "and nothing else" "$(cat "$T/out")"
	done
done

liar 'hello'
check "what is not JSON" exits 3 status
check "is named" says 'registryd: '
liar '{"error":"no"}'
check "a refusal is none" exits 1 repository list
check "and shown" says ': no$'

# ---- the form of an answer, and little sense -------------------------------

# A record of scrubs that cannot be read: then the answer's is shown.
mkdir -p "$STORE/.registryd"
: >"$STORE/.registryd/scrub"
chmod 0 "$STORE/.registryd/scrub"
as_owner() {
	set -- "$BUILD/registryctl" -f "$T/registryd.yml" "$@"
	if is_root; then
		chmod 644 "$T/registryd.yml"
		chown -R 62001:62001 "$STORE" "$T/control.sock"
		set -- setpriv --reuid 62001 --regid 62001 --clear-groups "$@"
	fi
	"$@" >"$T/out" 2>"$T/err"
}
under='"began":"2001-01-01T00:00:00Z","part":3'
for now in 0: '0:,"parts":0' '0:,"parts":-1' '100:,"parts":1' \
    '75:,"parts":4'; do
	scrub="{\"under_way\":{$under${now#*:}}}"
	liar "{\"result\":{\"parent\":0,\"scrub\":$scrub}}"
	check "a scrub with ${now#*:}" as_owner status
	check "is so far" shown "under way since .*, ${now%%:*}%: 0 bad"
done
