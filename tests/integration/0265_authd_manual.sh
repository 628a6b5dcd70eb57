#!/bin/sh
# SPDX-License-Identifier: ISC
#
# authd.yml(5) and authd know the same keys: each is there with its type, its
# default, which is the one that authd has, and an example that authd takes.
cd "$(dirname "$0")" && . ./lib.sh
page=$TESTS/../authd/authd.yml.5

# ---- keys ------------------------------------------------------------------

# What authd says that it knows, for a key that nobody knows in each map.
cat >"$T/unknown.yml" <<'CONF'
nobody: 1
tls: {nobody: 1}
token: {nobody: 1}
ldap: {nobody: 1, groups: {nobody: 1}, timeouts: {nobody: 1}}
pam: {nobody: 1}
credentials: {nobody: 1}
log: {nobody: 1}
limits: {nobody: 1}
throttle: {nobody: 1}
services: [{name: a, nobody: 1}]
keys: [{name: a, certificate: b, nobody: 1}]
access: [{user: a, repository: b, actions: [pull], nobody: 1}]
expect: [{user: a, scope: "repository:a:pull", grants: pull, nobody: 1}]
CONF
"$BUILD/authd" -n -f "$T/unknown.yml" 2>&1 |
    sed -n 's/.*yml:[0-9]*: \(.*\)nobody: unknown key, accepted: /\1 /p' |
    while read -r first rest; do
	case $first in
	*.) echo "$rest" | sed 's/, /\n/g' | sed "s/^/$first/" ;;
	*) echo "$first $rest" | sed 's/, /\n/g' ;;
	esac
done >"$T/keys"
check "authd tells its keys" [ "$(wc -l <"$T/keys")" -gt 90 ]

# Lines of the page beneath the key, to the next one.
entry() {
	awk -v key=".It Ic $1" '
		/^\.Bl/ { depth++ }
		/^\.El/ { depth-- }
		on && (depth < on || (depth == on && /^\.It/)) { exit }
		$0 == key { on = depth }
		on' "$page"
}
for key in $(cat "$T/keys"); do
	case $key in
	*\[0\].*)	# in the list of an entry, or in a section
		check "$key is in the manual" \
		    grep -Eq "^\.(It )?Ic (.* )?${key##*.}( .*)?\$" "$page"
		continue
		;;
	esac
	# Maps are no keys by themselves.
	grep -q "^$key\\." "$T/keys" && continue
	entry "$key" >"$T/entry"
	check "$key is in the manual" [ -s "$T/entry" ] || continue
	check "$key has a type and a default" sh -c "sed -n 2p '$T/entry' |
	    grep -Eq '^\.Pq .*(default|required|unset|none by)'"
	check "$key has an example" sh -c "sed -n '/^\.Bd/,/^\.Ed/p' \
	    '$T/entry' | grep -q '${key##*.}:'"
done
sed -n 's/^\.It Ic \([a-z][a-z_.]*\)$/\1/p' "$page" | sort -u |
    while read -r key; do
	grep -Eq "(^|\\.)$key\$" "$T/keys" || echo "$key"
done >"$T/odd"
expect "the manual has no key that authd does not know" '' "$(cat "$T/odd")"

# ---- defaults --------------------------------------------------------------

minimal() {
	cat <<-CONF
	services: [registry.test]
	token: {key: /no/token.key, certificate: /no/token.crt${1:-}}
	htpasswd: /no/htpasswd
	ldap:
	  uris: ["ldaps://ldap.example.com"]
	  ca: /no/ca.crt
	  bind_dn: "cn=authd,dc=example,dc=com"
	  bind_password_file: /no/password
	  base: "dc=example,dc=com"
	CONF
}
# MAP: its keys and defaults in the manual, for a map in one line.
defaults() {
	awk -v map="$1" '
		/^\.It Ic / { key = $3 }
		/^\.Pq .*default Li / {
			sub(/.*default Li /, "")
			n = split(key, part, ".")
			if (map == "" ? n == 1 : key ~ "^" map "\\.[^.]*$")
				print part[n] ": \"" $0 "\""
		}' "$page" | sed '/: "-/d'
}
in_one_line() {
	defaults "$1" | sed 's/: "\([0-9a-z.]*\)"$/: \1/' | paste -sd , -
}
{
	minimal
	echo "pam: {}"
	echo "credentials: {database: /no/credentials.db}"
} >"$T/minimal.yml"
{
	minimal ", $(in_one_line token)"
	defaults ldap | sed 's/: "\([0-9a-z.]*\)"$/: \1/; s/^/  /'
	echo "  groups: {$(in_one_line 'ldap\.groups')}"
	echo "  timeouts: {$(in_one_line 'ldap\.timeouts')}"
	echo "credentials: {database: /no/credentials.db," \
	    "$(in_one_line credentials)}"
	for map in pam tls log limits throttle; do
		echo "$map: {$(in_one_line $map)}"
	done
	defaults '' | sed 's/: "\([0-9a-z.]*\)"$/: \1/'
} >"$T/defaults.yml"
check "there are many" [ "$(grep -o : "$T/defaults.yml" | wc -l)" -gt 60 ]
for name in minimal defaults; do
	"$BUILD/authd" -nv -f "$T/$name.yml" >"$T/$name.out" 2>"$T/$name.err"
	expect "$name.yml is good" '' "$(grep error: "$T/$name.err")"
done
check "the defaults are those of authd" \
    diff "$T/minimal.out" "$T/defaults.out"

# ---- examples --------------------------------------------------------------

awk -v to="$T/example." '
	/^\.Bd -literal/ { on = 1; file = to (++n); next }
	/^\.Ed/ { on = 0; close(file) }
	on { print >file }' "$page"
incomplete=': missing, |nothing checks passwords|and it is needed when'
incomplete="$incomplete|is not configured"
for example in "$T"/example.*; do
	"$BUILD/authd" -n -f "$example" >"$example.out" 2>&1
	wrong=$(grep error: "$example.out" | grep -Ev "$incomplete")
	expect "$(head -n 1 "$example") is taken" '' "$wrong"
done

# ---- the shipped example, with each of its alternatives --------------------

awk -v to="$T/alternative." '
	/^# [a-z_]+:( |$)/ && !/^# authd:/ { on = 1; file = to (++n) }
	!/^# ( |[a-z_]+:)/ { on = 0 }
	on { sub(/^# /, ""); print >file }' "$TESTS/../etc/authd.yml"
check "there are some" [ "$(ls "$T"/alternative.* | wc -l)" -ge 8 ]
for block in "$T"/alternative.*; do
	keys=$(sed -n 's/^\([a-z_]*\):.*/\1/p' "$block" | paste -sd '|' -)
	{
		awk -v keys="^($keys):" '
			/^[a-z_]/ { off = $0 ~ keys }
			!off' "$TESTS/../etc/authd.yml"
		cat "$block"
	} >"$T/with.yml"
	"$BUILD/authd" -n -f "$T/with.yml" >"$T/with.out" 2>&1
	expect "etc/authd.yml with $(head -n 1 "$block")" '' "$(grep -Ev \
	    '^note: |configuration ok|and it is needed' \
	    "$T/with.out")"
done
