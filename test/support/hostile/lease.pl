# Holds a write lease (fcntl, F_SETLEASE 1024, F_WRLCK 1) on a file: a process that opens it waits until the lease ends.
use strict; use warnings;
my ($path) = @ARGV;
$SIG{IO} = 'IGNORE';
open my $file, '+<', $path or die "open: $!";
fcntl $file, 1024, 1 or die "lease: $!";
$| = 1; print "leased\n";
sleep 3600;
