# SPDX-License-Identifier: ISC
# shellcheck shell=sh
#
# For tests that look into the memory of processes, after lib.sh; as root.
#
#   memory_has PID TEXT     is the text anywhere in what it may write?  With
#                           "hex:" in front, the bytes
#   key_prime KEY           a prime of an RSA key as OpenSSL has it in memory

memory_has() {
	perl -e '
		my ($pid, $text) = @ARGV;
		$text = pack("H*", $1) if $text =~ /^hex:(\w+)$/;
		my $found = 1;
		open(my $maps, "<", "/proc/$pid/maps") or die "maps: $!";
		open(my $mem, "<:raw", "/proc/$pid/mem") or die "mem: $!";
		while (my $line = <$maps>) {
			next unless $line =~ /^(\w+)-(\w+) rw/;
			my ($at, $end) = (hex($1), hex($2));
			next if $end - $at > 1 << 30;
			sysseek($mem, $at, 0) or next;
			my $data = "";
			while ($at < $end) {
				my $n = sysread($mem, $data,
				    $end - $at > 1 << 20 ? 1 << 20 :
				    $end - $at, length($data)) or last;
				$at += $n;
			}
			$found = 0 if index($data, $text) != -1;
		}
		exit($found);' "$1" "$2"
}

key_prime() {
	openssl rsa -in "$1" -noout -text 2>/dev/null |
	    sed -n '/^prime1:/,/^prime2:/p' | grep '^ ' | tr -d ' :\n' |
	    perl -e '
		my $p = pack("H*", <STDIN>);
		$p =~ s/^\0+//;
		# Its limbs: the least significant byte first.
		print "hex:", unpack("H*", substr(reverse($p), 0, 48));'
}
