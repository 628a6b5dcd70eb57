# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154
#
# For the tests of LDAP, after lib.sh and authd.sh: a real slapd with TLS,
# ppolicy and memberof, of this test alone, and authd that asks it.
#
#   make_directory                  CA, certificates, entries
#   start_slapd NAME [CERT|none]    on free ports of loopback; sets
#       $LDAP, $LDAPS (host:port), $SLAPD_PID, $SLAPD_LOG ($T/NAME.log);
#       each NAME is a directory with the same entries
#   ldap_conf LINE...               lines beneath "ldap:" into $CONF_AUTHD
#   start_ldap_authd                without an htpasswd file
#   hang MODE                       a server that hangs; sets $HANG
#   as_root FILTER-LESS-LDIF        ldapmodify as the directory's root

free_port() {
	while :; do
		port=$(($(od -An -N2 -tu2 /dev/urandom) % 12000 + 20000))
		ss -Htan "sport = :$port" | grep -q . || break
	done
	echo "$port"
}

# NAME SUBJECT SAN [OPTION...], signed by the CA of this test.
make_certificate() {
	path=$T/ldap/$1
	printf 'basicConstraints=CA:FALSE\n%s\n' "${3:+subjectAltName=$3}" \
	    >"$path.ext"
	openssl req -newkey rsa:2048 -nodes -keyout "$path.key" \
	    -subj "/CN=$2" -out "$path.csr" 2>/dev/null || die "request $1"
	shift 3
	openssl x509 -req -in "$path.csr" -days 2 "$@" \
	    -CA "$T/ldap/ca.crt" -CAkey "$T/ldap/ca.key" -CAcreateserial \
	    -extfile "$path.ext" -out "$path.crt" 2>/dev/null ||
	    die "certificate $path"
}

make_ca() {
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/ldap/$1.key" \
	    -subj "/CN=$1" -days 2 -out "$T/ldap/$1.crt" \
	    -addext keyUsage=keyCertSign 2>/dev/null || die "CA $1"
}

person() {
	cat <<-LDIF

	dn: uid=$1,ou=people,dc=test
	objectClass: inetOrgPerson
	uid: $1
	cn: $1
	sn: $1
	mail: $1@example.com
	userPassword: $1-pw
	LDIF
}

entries() {
	cat <<-LDIF
	dn: dc=test
	objectClass: dcObject
	objectClass: organization
	dc: test
	o: test
	LDIF
	for ou in people others groups elsewhere policies; do
		printf '\ndn: ou=%s,dc=test\nobjectClass: %s\nou: %s\n' $ou \
		    organizationalUnit $ou
	done
	for policy in default aging grace; do
		cat <<-LDIF

		dn: cn=$policy,ou=policies,dc=test
		objectClass: organizationalRole
		objectClass: pwdPolicy
		cn: $policy
		pwdAttribute: userPassword
		pwdLockout: TRUE
		pwdMaxFailure: 5
		pwdMustChange: TRUE
		LDIF
		[ $policy = default ] || echo 'pwdMaxAge: 86400'
		[ $policy = grace ] && echo 'pwdGraceAuthNLimit: 10'
	done
	cat <<-LDIF

	dn: cn=service,dc=test
	objectClass: organizationalRole
	objectClass: simpleSecurityObject
	cn: service
	userPassword: service secret
	LDIF
	person alice
	person Bob
	person carol
	person twin
	person several
	echo 'uid: other'
	person locked
	echo 'pwdAccountLockedTime: 000001010000Z'
	person reset
	echo 'pwdReset: TRUE'
	for user in expired grace; do
		person $user
		echo 'pwdChangedTime: 20200101000000Z'
		echo "pwdPolicySubentry: cn=$user,ou=policies,dc=test" |
		    sed s/cn=expired/cn=aging/
	done
	person twin | sed 's/ou=people/ou=others/'
	person 'x\2Cou=admins' | sed '/^dn:/!s/\\2C/,/'
	person 'jürgen'
}

group() {
	cat <<-LDIF

	dn: cn=$1,ou=$2,dc=test
	objectClass: groupOfNames
	member: $3
	LDIF
}

# Added while it runs, so that memberof sees them.
group_entries() {
	group dev groups uid=alice,ou=people,dc=test
	group admins elsewhere uid=alice,ou=people,dc=test
	group 'r&d\2C (x)' groups uid=Bob,ou=people,dc=test
	group inner groups uid=carol,ou=people,dc=test
	group outer groups cn=inner,ou=groups,dc=test
	group loop groups cn=outer,ou=groups,dc=test
	echo 'member: cn=loop,ou=groups,dc=test'
	group specials groups 'cn=r&d\2C (x),ou=groups,dc=test'
	cat <<-LDIF

	dn: cn=posix,ou=groups,dc=test
	objectClass: posixGroup
	gidNumber: 2000
	memberUid: alice
	memberUid: Bob
	LDIF
}

make_directory() {
	mkdir -p "$T/ldap"
	make_ca ca
	make_ca otherca
	make_certificate good 127.0.0.1 IP:127.0.0.1
	make_certificate othername other.test DNS:other.test
	make_certificate cnonly 127.0.0.1 ''
	make_certificate expired 127.0.0.1 IP:127.0.0.1 -days -1
	printf 'service secret\n' >"$T/ldap/secret"
	chmod 600 "$T/ldap/secret"
	entries >"$T/ldap/entries.ldif"
	group_entries >"$T/ldap/groups.ldif"
	# Away from where a profile of AppArmor would hold it.
	cp /usr/sbin/slapd "$T/ldap/slapd" || die "no slapd"
}

tls_lines() {
	[ "$1" = none ] || printf 'TLSCACertificateFile %s\n%s\n%s\n' \
	    "$T/ldap/ca.crt" "TLSCertificateFile $T/ldap/$1.crt" \
	    "TLSCertificateKeyFile $T/ldap/$1.key"
}

slapd_conf() {
	cat <<-CONF
	include /etc/ldap/schema/core.schema
	include /etc/ldap/schema/cosine.schema
	include /etc/ldap/schema/inetorgperson.schema
	include /etc/ldap/schema/nis.schema
	modulepath /usr/lib/ldap
	moduleload back_mdb
	moduleload memberof
	moduleload ppolicy
	pidfile $1/pid
	argsfile $1/args
	$(tls_lines "$2")
	${SLAPD_GLOBAL:-}
	database mdb
	suffix dc=test
	rootdn cn=root,dc=test
	rootpw root-pw
	directory $1/db
	maxsize 16777216
	dbnosync
	index objectClass,uid,member,memberUid eq
	access to attrs=userPassword by anonymous auth by * none
	access to * by dn.exact=cn=service,dc=test read by self read by * none
	overlay memberof
	overlay ppolicy
	ppolicy_default cn=default,ou=policies,dc=test
	ppolicy_use_lockout
	CONF
}

as_root() {
	ldapmodify -x -H "ldap://$LDAP" -D cn=root,dc=test -w root-pw "$@"
}

slapd_answers() {
	is_gone "$SLAPD_PID" || ldapwhoami -x -H "ldap://$LDAP" \
	    -D cn=root,dc=test -w root-pw >/dev/null 2>&1
}

run_slapd() {
	LDAPNOINIT=1
	export LDAPNOINIT
	background "$SLAPD_LOG" "$T/ldap/slapd" -f "$T/ldap/d-$1/slapd.conf" \
	    -d stats -h "ldap://$LDAP ldaps://$LDAPS"
	SLAPD_PID=$started
	PIDS="$PIDS $started"
	wait_until 20 slapd_answers || die "slapd $1 does not answer"
	! is_gone "$SLAPD_PID"
}

start_slapd() {
	dir=$T/ldap/d-$1
	mkdir -p "$dir/db"
	slapd_conf "$dir" "${2:-good}" >"$dir/slapd.conf"
	SLAPD_LOG=$T/$1.log
	"$T/ldap/slapd" -Ta -f "$dir/slapd.conf" -l "$T/ldap/entries.ldif" \
	    >"$T/slapadd.out" 2>&1 || die "slapadd: $(tail -3 "$T/slapadd.out")"
	# Somebody else may be quicker to take a port that was free.
	for try in 1 2 3 4 5; do
		LDAP=127.0.0.1:$(free_port) LDAPS=127.0.0.1:$(free_port)
		run_slapd "$1" && break
	done
	as_root -a -f "$T/ldap/groups.ldif" >"$T/ldapadd.out" 2>&1 ||
	    die "groups: $(tail -n 3 "$T/ldapadd.out")"
}

ldap_conf() {
	CONF_AUTHD="ldap:"
	for line; do
		CONF_AUTHD="$CONF_AUTHD
  $line"
	done
	if is_root; then
		CONF_AUTHD="$CONF_AUTHD
  user: \"62015:62015\""
	fi
}

# The usual way: service bind, search, StartTLS.
ldap_usual() {
	ldap_conf "uris: [${LDAP_URIS:-ldap://$LDAP}]" \
	    "ca: $T/ldap/ca.crt" "bind_dn: cn=service,dc=test" \
	    "bind_password_file: $T/ldap/secret" "base: dc=test" "$@"
}

start_ldap_authd() {
	make_token_key
	authd_conf | sed '/^htpasswd:/d' >"$T/authd.yml"
	AUTHD_LOG=$T/authd.log
	start_daemon authd "$T/authd.yml" "$AUTHD_LOG"
	AUTHD_PID=$started AUTHD=localhost:$port
}

hang() {
	background "$T/hang-$1.out" "$BUILD/tests/integration/hang_server" "$1"
	PIDS="$PIDS $started"
	wait_until 5 test -s "$T/hang-$1.out" || die "hang_server $1"
	HANG=127.0.0.1:$(cat "$T/hang-$1.out")
}

# Binds of one DN in slapd's log.
binds() {
	grep -c "BIND dn=\"$1\" method=128" "$SLAPD_LOG"
}
