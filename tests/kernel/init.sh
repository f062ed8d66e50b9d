#!/bin/sh
# First process of the lab's kernel: an overlay over the host's file system, so that what the guest writes is dropped
# (but below the directories of $job/writable), then the command, whose output and status go back to the host.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
job=${0%/*}

off() {
    sync
    # reboot(2): 169 is its number on x86-64, the last argument RB_POWER_OFF. Nothing else here can switch off.
    perl -e 'syscall(169, 0xfee1dead, 0x28121969, 0x4321fedc, 0)'
    while :; do sleep 1; done
}

if [ "$1" != inside ]; then
    mount -t tmpfs run /run && mkdir /run/upper /run/work /run/root || off
    mount -t overlay -o lowerdir=/,upperdir=/run/upper,workdir=/run/work overlay /run/root || off
    cd /run/root && mkdir -p .host dev proc sys run || off
    mount -t devtmpfs dev dev
    mount -t proc proc proc
    mount -t sysfs sys sys
    mount -t tmpfs -o mode=755 run run
    mkdir -p dev/pts dev/shm
    mount -t devpts -o ptmxmode=666,gid=5,mode=620 devpts dev/pts
    mount -t tmpfs -o mode=1777 shm dev/shm
    [ -e dev/fd ] || ln -s /proc/self/fd dev/fd
    [ -e dev/stdin ] || { ln -s fd/0 dev/stdin; ln -s fd/1 dev/stdout; ln -s fd/2 dev/stderr; }
    pivot_root . .host && exec chroot . /bin/sh "$job/init.sh" inside </dev/null || off
fi

while read -r directory; do mount --bind "/.host$directory" "$directory"; done <"/.host$job/writable"
umount -l /.host
rmdir /.host
hostname sockexplorer-lab
read -r modules <"$job/modules"
release=$(uname -r)
# Bound, not linked: the cache may be in a directory that only its owner may enter.
mkdir -p "/lib/modules/$release"
mount --bind "$modules/$release" "/lib/modules/$release"
# Every module there is, so that a command finds every family; whoever wants to do without one unloads it.
modprobe -a $(sed 's/\.ko:.*//; s/.*\///' "/lib/modules/$release/modules.dep")
ip link set lo up
ip link add vcan0 type vcan && ip link set vcan0 up
. "$job/environment"

if [ -e "$job/terminal" ]; then
    setsid -w -c sh "$job/command" </dev/tty1 >/dev/tty1 2>&1
    echo $? >"$job/status"
    off
fi

# Through pipes: a command that is killed must not leave half a line in the terminal driver.
stty -F /dev/tty1 raw -echo 2>/dev/null
stty -F /dev/tty2 raw -echo 2>/dev/null
mkfifo /run/out /run/err /run/over
# Held open: a terminal that is closed waits for half a minute at most until it is rid of what it holds.
exec 4<>/run/over 5>/dev/tty1 6>/dev/tty2
# Until the other end is closed. When descriptor 4 has ended, the command has: what it left running may hold the pipe
# open, and has a second to finish, of which writing to a host that is slow to read takes nothing, and 16 MiB.
copy='
    sub pass {
        my $n = sysread(STDIN, my $data, 65536) or exit;
        for (my $at = 0; $at < $n; ) { $at += syswrite(STDOUT, $data, $n - $at, $at) // exit }
        $n
    }
    my ($ready, $n, $seconds, $left) = ("", 0, 1, 2 ** 24);
    pass while select($ready = "\x11", undef, undef, undef) and !vec($ready, 4, 1);
    $left -= pass while $left > 0 and ($n, $seconds) = select($ready = "\1", undef, undef, $seconds) and $n;
'
perl -e "$copy" </run/out 4</run/over >&5 5>&- 6>&- &
out=$!
perl -e "$copy" </run/err 4</run/over >&6 5>&- 6>&- &
err=$!
in=/dev/null
if [ -e "$job/stdin" ]; then
    # boot.py sends a piece behind its length for each byte that comes out here. What was not read is lost when a
    # console is closed: it stays open.
    exec 3<>/dev/tty3
    stty raw -echo <&3
    in=/run/in
    mkfifo $in
    perl -e '
        sub take { my ($n) = @_; my $d = ""; while (length $d < $n) { sysread(STDIN, $d, $n - length $d, length $d) or exit } $d }
        open my $ready, ">&=3";
        while (syswrite($ready, ".") and $n = unpack "N", take(4)) { syswrite(STDOUT, take($n)) or exit }
    ' <&3 >$in 4>&- 5>&- 6>&- &
    exec 3<&-
fi
sh "$job/command" <$in >/run/out 2>/run/err 4>&- 5>&- 6>&-
status=$?
exec 4>&-
wait $out $err
# What the terminal driver still holds goes out before the power does: stty waits for it (TCSADRAIN).
stty raw <&5
stty raw <&6
echo $status >"$job/status"
off
