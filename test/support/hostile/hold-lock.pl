# Holds the exclusive lock (flock) of its own network namespace until it is killed.
use strict; use warnings;
open my $namespace, '<', '/proc/self/ns/net' or die "open: $!";
flock $namespace, 2 or die "flock: $!";
print "locked\n";
sleep 3600;
