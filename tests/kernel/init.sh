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
mkfifo /run/out /run/err
cat </run/out >/dev/tty1 &
out=$!
cat </run/err >/dev/tty2 &
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
    ' <&3 >$in &
    exec 3<&-
fi
sh "$job/command" <$in >/run/out 2>/run/err
status=$?
# What the command left running may hold the pipes open: it has a second to finish.
waited=0
while [ $waited -lt 20 ] && { kill -0 $out || kill -0 $err; } 2>/dev/null; do
    sleep 0.05
    waited=$((waited + 1))
done
kill $out $err 2>/dev/null
# What the terminal driver still holds goes out before the power does: stty waits for it (TCSADRAIN).
stty -F /dev/tty1 raw 2>/dev/null
stty -F /dev/tty2 raw 2>/dev/null
echo $status >"$job/status"
off
