#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The manuals and the programs know the same: registryd.yml(5) each key with
# its default and its bounds, and what distribution has besides;
# registryctl(8) each command with its arguments, each kind of damage and each
# reason to be degraded; registryd(8) each process and each metric.
cd "$(dirname "$0")" && . ./lib.sh
source=$TESTS/../registryd
page=$source/registryd.yml.5

same() {
	diff "$1" "$2" >"$T/diff" || { grep '^[<>]' "$T/diff"; return 1; }
}

# Print mdoc as plain words, in one line for each item: what is in the list of
# an entry belongs to it, and so does the text behind a list in it.
words() {
	sed 's/\\(dq/"/g; s/\\&//g' "$@" | awk '
		/^\.Sh|^\.Ss/ { depth = 0; print ""; next }
		/^\.Bl/ { depth++; next }
		/^\.El/ { if (--depth == 0) print ""; next }
		/^\.It/ && depth == 1 { printf "\n* " }
		/^\.(Bd|Ed|Pp)/ { next }
		{
			sub(/^\.It +/, ".")
			sub(/^\.[A-Z][a-z] +/, "")
			gsub(/ (Ar|Ns|Cm|Li|Ql|Ic|No|Er|Dv|Pf) /, " ")
			printf "%s ", $0
		}' | sed 's/ \([.,;:)]\) /\1 /g; s/ \([.,;:)]\) /\1 /g'
}

# ---- keys -------------------------------------------------------------------

# Keys with their values, "-" for none.
keys() {
	awk '
		{ sub(/^# /, "") }
		/^ *[a-z_]+:/ {
			match($0, /[^ ]/)
			depth = int((RSTART - 1) / 2)
			key[depth] = $1
			sub(/:$/, "", key[depth])
			path = key[0]
			for (i = 1; i <= depth; i++)
				path = path "." key[i]
			value = NF > 1 ? $2 : "-"
			gsub(/"/, "", value)
			print path, value
		}' "$1" | grep -v '^version '
}

printf 'version: 0.1\nstorage: filesystem\n' >"$T/minimal.yml"
"$BUILD/registryd" -nv -f "$T/minimal.yml" >"$T/minimal.out" 2>"$T/err"
keys "$T/minimal.out" >"$T/all"
# Maps are no keys by themselves.
while read -r key value; do
	grep -q "^$key\\." "$T/all" || echo "$key $value"
done <"$T/all" >"$T/known"
check "registryd tells its keys" [ "$(wc -l <"$T/known")" -gt 80 ]

words "$page" | sed -n 's/^\* \([a-z][a-z_0-9.]*\): /\1 /p' |
    grep -v '^version ' >"$T/entries"
cut -d ' ' -f 1 "$T/known" | sort >"$T/want"
cut -d ' ' -f 1 "$T/entries" | sort >"$T/got"
check "the manual has these keys, each once" same "$T/want" "$T/got"

# KEY VALUE from "KEY TEXT": the default that the text gives.
awk '{
	text = $0
	if (match(text, /default is [^ ]+/))
		value = substr(text, RSTART + 11, RLENGTH - 11)
	else if (match(text, /[^ ]+, the default,/))
		value = substr(text, RSTART, RLENGTH - 14)
	else
		next
	sub(/[.,;:]+$/, "", value)
	print $1, value
}' "$T/entries" | sort >"$T/defaults"
grep -v ' -$' "$T/known" | cut -d ' ' -f 1 | sort >"$T/want"
cut -d ' ' -f 1 "$T/defaults" >"$T/got"
expect "each key with a default says so" '' \
    "$(comm -23 "$T/want" "$T/got" | tr '\n' ' ')"

# try NAME: registryd -nv with the KEY VALUE of $T/NAME from the environment
try() {
	while read -r key value; do
		echo "REGISTRY_$(echo "$key" | tr a-z. A-Z_)=$value"
	done <"$T/$1" >"$T/$1.env"
	# shellcheck disable=SC2046
	env $(cat "$T/$1.env") "$BUILD/registryd" -nv -f "$T/minimal.yml" \
	    >"$T/$1.out" 2>"$T/$1.err"
}

join -o 1.1,1.2 "$T/defaults" "$T/want" >"$T/default"
try default
expect "defaults are taken" '' "$(cat "$T/default.err")"
check "they are those of registryd" same "$T/minimal.out" "$T/default.out"

# ---- bounds -----------------------------------------------------------------

# KEY LEAST MOST, "-" for none; what says so for its followers too has theirs.
sed 's/ bytes to / to /' "$T/entries" | awk '
	function bound(before, after) {
		if (!match(text, before "[0-9]+[A-Za-z]*" after))
			return "-"
		value = substr(text, RSTART, RLENGTH)
		sub(before, "", value)
		match(value, /^[0-9]+[A-Za-z]*/)
		return substr(value, 1, RLENGTH)
	}
	{
		key = $1
		text = substr($0, length(key) + 1)
		least = bound("([Ff]rom|at least) ", "")
		most = bound("[Ff]rom [0-9A-Za-z]+ to ", "")
		if (most == "-")
			most = bound("at most ", "[,.;]")
		if (text ~ /This and the following/) {
			all_least = least
			all_most = most
		} else if (all_least != "" && key ~ /_timeout$/ &&
		    least == "-") {
			least = all_least
			most = all_most
		}
		if (least != "-" || most != "-")
			print key, least, most, /is cut to that/ ? "cut" : ""
	}' | grep -v '^auth\.' | grep -v '^http\.headers' >"$T/bounds"
check "many keys have bounds" [ "$(wc -l <"$T/bounds")" -gt 35 ]

# beyond FIELD BY: values a little outside, in the smallest unit
beyond() {
	awk -v field="$1" -v by="$2" '
		BEGIN {
			unit["ms"] = 1; unit["s"] = 1000; unit["m"] = 60000
			unit["h"] = 3600000; unit["KiB"] = 1024; unit[""] = 1
			unit["MiB"] = 1024 ^ 2; unit["GiB"] = 1024 ^ 3
		}
		$field != "-" && $field != "0" &&
		    !(by > 0 && $4 == "cut") {
			n = u = $field
			sub(/[A-Za-z]+$/, "", n)
			sub(/^[0-9]+/, "", u)
			time = u ~ /^(ms|s|m|h)$/
			# Some durations are kept in seconds.
			off = time && n * unit[u] >= 1000 ? 1000 : 1
			printf "%s %d%s\n", $1, n * unit[u] + by * off,
			    time ? "ms" : ""
		}' "$T/bounds"
}
awk '$2 != "-" { print $1, $2 }' "$T/bounds" >"$T/least"
awk '$3 != "-" { print $1, $3 }' "$T/bounds" >"$T/most"
for name in least most; do
	try $name
	expect "the $name of each is taken" '' "$(cat "$T/$name.err")"
done
beyond 2 -1 >"$T/less"
beyond 3 1 >"$T/more"
for name in less more; do
	try $name
	cut -d ' ' -f 1 "$T/$name" | sort >"$T/want"
	sed -n 's/^error: [^:]*: \([a-z][a-z_.]*\): .*/\1/p' "$T/$name.err" |
	    sort -u >"$T/got"
	check "$name of each is refused" same "$T/want" "$T/got"
done

# ---- what is not there ------------------------------------------------------

sed -n 's/^	{ "\([a-z0-9.]*\)", \(true\|false\), .*/\1/p' \
    "$source/conf_foreign.c" >"$T/foreign"
sed -n '/^\.Sh WHAT IS NOT THERE/,/^Different in/p' "$page" |
    sed -n 's/ \.$//; s/^\.\(It \)*Ic //p' | tr -d ' ' | tr , '\n' |
    grep . | sort -u >"$T/absent"
check "there are many" [ "$(wc -l <"$T/absent")" -gt 20 ]
# A name may stand for the map that it is in, or be in that of its neighbour.
while read -r key; do
	grep -Eqx "${key%.*}|$key|${key##*.}" "$T/absent" || echo "$key"
done <"$T/foreign" | grep -v '^auth\.none$' >"$T/odd"
expect "the manual has all that are not there" '' "$(cat "$T/odd")"
while read -r key; do
	grep -Eq "(^|\\.)$key(\\.|\$)" "$T/foreign" || echo "$key"
done <"$T/absent" >"$T/odd"
expect "and no other" '' "$(cat "$T/odd")"

# ---- the shipped example ----------------------------------------------------

# All that it shows commented out, with one kind of access at a time.
sed 's/^\( *\)# \( *[a-z_]*:\( \|$\)\)/\1\2/
    s/^\( *\)#\( *X-Content\)/\1\2/' "$TESTS/../etc/registryd.yml" |
    awk '/^registryd: see/ { next } { print }' >"$T/example.all"
awk '/^  htpasswd:/ { off = 1; next } off && /^   / { next }
    { off = 0; print }' "$T/example.all" >"$T/example.token"
awk '/^  token:/ && !was { off = was = 1; next } off && /^   / { next }
    { off = 0; print }' "$T/example.all" >"$T/example.htpasswd"
for name in token htpasswd; do
	"$BUILD/registryd" -nv -f "$T/example.$name" >"$T/out" 2>"$T/err"
	expect "the example, all of it, with $name" '' "$(grep -Ev \
	    '^note: |configuration ok' "$T/err")"
	check "it shows most" [ "$(keys "$T/out" | grep -vc ' -$')" -gt 60 ]
done

# ---- registryctl ------------------------------------------------------------

page=$source/registryctl.8

# mdoc of commands as their usage has them.
synopsis() {
	sed '/^\.It Cm /s/^\.It/&X/
	    s/^\.Op \(.*\)/.Oo \1 Oc/; s/ Op \(.*\)/ Oo \1 Oc/' "$1" | awk '
		/^\.It Xo$/ { on = 1; line = ""; next }
		/^\.Xc$/ && on { print line; on = 0; next }
		on { line = line " " substr($0, 2); next }
		/^\.ItX / { sub(/^\.ItX/, ""); print }' |
	    sed 's/ Fl -/ --/g; s/ Fl / - /g; s/ Fl$/ -/; s/ Cm / /g
		s/ Ar / /g; s/ Ns / \\ /g; s/ Oo / [\\ /g; s/ Oc/ \\]/g
		s/ Pf \([:@]\) / \1\\ /g; s/ *\\ */\\/g
		s/\[\\/[/g; s/\\//g; s/^ *//'
}
"$BUILD/registryctl" 2>&1 | sed -n '/^commands/,$s/^       //p' |
    sort >"$T/want"
synopsis "$page" | grep -Ex "($(sed 's/ [[|].*//; s/ .*//' "$T/want" |
    sort -u | paste -sd '|' -))( .*)?" | sort >"$T/got"
check "commands and arguments are in registryctl(8)" \
    same "$T/want" "$T/got"

"$BUILD/registryctl" 2>&1 | sed '/^commands/,$d' |
    grep -o -e '-[-a-z]*' | sort -u >"$T/want"
sed -n '/^\.Sh DESC/,/^\.Ss/s/^\.It Fl \([^ ]*\).*/-\1/p' "$page" |
    sort >"$T/got"
check "and its options" same "$T/want" "$T/got"

sed -n 's/^	\[FSCK_.*= { "\([a-z-]*\)".*/\1/p' "$source/fsck_kind.c" |
    sort >"$T/want"
expect "each kind of damage has a name" \
    "$(grep -c '^	\[FSCK_' "$source/fsck_kind.c")" \
    "$(wc -l <"$T/want")"
sed -n '/^The kinds are/,/^\.El/s/^\.Cm //p' "$page" | tr -d ' ' |
    tr , '\n' | grep . | sort >"$T/got"
check "registryctl(8) has them all" same "$T/want" "$T/got"

sed -n 's/^	\[TROUBLE_.*= { "\([a-z-]*\)",$/\1/p' "$source/trouble.c" |
    sort >"$T/want"
expect "each reason to be degraded has a name" \
    "$(grep -c '^	\[TROUBLE_' "$source/trouble.c")" \
    "$(wc -l <"$T/want")"
sed -n '/width collection-failed/,/^\.El/s/^\.It Cm //p' "$page" |
    sort >"$T/got"
check "registryctl(8) has them" same "$T/want" "$T/got"

# ---- registryd --------------------------------------------------------------

page=$source/registryd.8
grep -o '"registryd_[a-z_]*' "$source/metrics.c" | cut -d _ -f 2- |
    { cat; echo build_info; } | sort -u >"$T/want"
sed -n '/^\.Sh METRICS/,/^\.Sh SIGNALS/s/^\.It Ic //p' "$page" |
    sed 's/Brq.*//' | tr -d ' ' | tr , '\n' | sort -u >"$T/got"
check "registryd(8) has the metrics" same "$T/want" "$T/got"
sed -n '/roles\[ROLE_MAX\]/,/}/s/"/\n/gp' "$source/metrics.c" |
    grep -x '[a-z]*' | grep . | sort >"$T/want"
check "there are processes" grep -qx keeper "$T/want"
sed -n '/^\.Ss Processes/,/^\.El/s/^\.It //p' "$page" | sort >"$T/got"
check "registryd(8) has them" same "$T/want" "$T/got"
