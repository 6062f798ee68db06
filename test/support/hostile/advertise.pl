# Sends router advertisements (RFC 4861 §4.2) from an interface, twenty a second, until it is killed.
use strict; use warnings; use Socket qw(SOCK_RAW inet_pton AF_INET6 pack_sockaddr_in6 setsockopt);
my ($device) = @ARGV;
my $index;
until (defined $index) {
  if (open my $file, '<', "/sys/class/net/$device/ifindex") { chomp($index = <$file>); last }
  select undef, undef, undef, 0.05;
}
# 58 is ICMPv6; hop limit 255 is what a receiver demands: IPPROTO_IPV6 41, IPV6_MULTICAST_HOPS 18, IPV6_MULTICAST_IF 17.
socket my $raw, AF_INET6, SOCK_RAW, 58 or die "socket: $!";
setsockopt $raw, 41, 18, pack 'i', 255 or die "hops: $!";
setsockopt $raw, 41, 17, pack 'i', $index or die "interface: $!";
# Type 134, router lifetime 1800 s; then a prefix option for 2001:db8:bad::/64, on-link and autonomous. The kernel
# fills in the checksum.
my $message = pack('CCnCCnNN', 134, 0, 0, 64, 0, 1800, 0, 0)
  . pack('CCCCNNN', 3, 4, 64, 0xc0, 86_400, 14_400, 0) . inet_pton(AF_INET6, '2001:db8:bad::');
my $everybody = pack_sockaddr_in6(0, inet_pton(AF_INET6, 'ff02::1'), $index);
while (1) {
  send $raw, $message, 0, $everybody;
  select undef, undef, undef, 0.05;
}
