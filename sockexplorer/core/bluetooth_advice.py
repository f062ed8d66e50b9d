"""What an errno means for AF_BLUETOOTH, by call and by protocol. Source: net/bluetooth of Linux."""

from __future__ import annotations

from sockexplorer.core.advice import Advice, AdviceTable, rights

TAKEN = Advice(
    "Another socket has that PSM or channel, or listens for voice, on that adapter.",
    (
        "choose another",
        "give 0 for a free one",
        "see who has it: sudo cat /sys/kernel/debug/bluetooth/l2cap (or rfcomm, sco)",
    ),
)

BLUETOOTH: AdviceTable = {
    ("socket", "EAFNOSUPPORT"): Advice(
        "This kernel has no AF_BLUETOOTH, or this process is in a network namespace of its own, where there is none.",
        (
            "sudo modprobe bluetooth, if this system has that module",
            "start it outside of the container",
            "see what this host has: sockexplorer doctor bluetooth",
        ),
    ),
    ("socket", "ESOCKTNOSUPPORT"): Advice(
        "L2CAP has SEQPACKET, STREAM, DGRAM and RAW; RFCOMM STREAM and RAW; HCI RAW; SCO SEQPACKET.",
        ("choose the type that the protocol is for",),
    ),
    ("socket", "EINVAL"): Advice("Bluetooth has the protocols 0 to 8.", ("choose l2cap, rfcomm, hci or sco",)),
    ("socket", "EPERM"): Advice("A raw socket of L2CAP needs CAP_NET_RAW.", rights("CAP_NET_RAW", namespace=False)),
    ("*", "EBADFD"): Advice(
        "The socket is not in a state for this: it is bound, connected or closed already, or not bound yet.",
        ("close it and open another", "bind it, then listen"),
    ),
    ("bind", "EADDRINUSE"): TAKEN,
    ("listen", "EADDRINUSE"): TAKEN,
    ("bind", "EADDRNOTAVAIL"): Advice(
        "No adapter of this host has that address.",
        ("write 00:00:00:00:00:00 for any", "see the addresses: bluetoothctl list"),
    ),
    ("*", "EHOSTUNREACH"): Advice(
        "No adapter of this host is up, or none has the address that the socket is bound to.",
        ("bluetoothctl power on", "see whether one is blocked: rfkill list bluetooth", "ls /sys/class/bluetooth"),
    ),
    ("*", "EHOSTDOWN"): Advice(
        "The device does not answer: it is off, away, or does not let itself be called (page timeout).",
        ("switch it on, make it visible, come closer", "see who is there: bluetoothctl scan on"),
    ),
    ("*", "ECONNREFUSED"): Advice(
        "The device has no service there, or refuses the link.",
        ("see its services: sdptool browse ADDRESS", "pair with it: bluetoothctl pair ADDRESS"),
    ),
    ("*", "EACCES"): Advice(
        "The device wants to be paired first, or the pairing failed.",
        ("bluetoothctl pair ADDRESS", "pair again: bluetoothctl remove ADDRESS"),
    ),
    ("*", "EBADE"): Advice(
        "The device and this host have no key in common any more.",
        ("pair again: bluetoothctl remove ADDRESS, then pair ADDRESS",),
    ),
    ("*", "ETIMEDOUT"): Advice("The device was reached and then fell silent.", ("come closer", "try again")),
    ("*", "EMLINK"): Advice(
        "The adapter has as many links as it can.", ("disconnect one: bluetoothctl disconnect ADDRESS",)
    ),
    ("connect", "EBUSY"): Advice(
        "The link, or the channel on it, is in use already.", ("bluetoothctl disconnect ADDRESS", "try again")
    ),
    ("connect", "EALREADY"): Advice("The adapter is connecting to that device already.", ("wait for it to end",)),
    ("*", "ECONNRESET"): Advice(
        "The device ended the link: it was switched off, or its owner disconnected.", ("connect again",)
    ),
    ("*", "ECONNABORTED"): Advice("This host ended the link.", ("connect again",)),
    ("*", "ELOOP"): Advice("The device refuses after too many attempts to pair.", ("wait a minute, then pair again",)),
    ("*", "EPROTO"): Advice("The two controllers do not understand one another.", ("try another adapter",)),
    ("*", "EIO"): Advice("The adapter failed.", ("look at: sudo dmesg", "sudo hciconfig hci0 reset")),
    ("*", "ENOSYS"): Advice(
        "The controller reported an error that the kernel has no errno for.", ("see it: sudo btmon",)
    ),
    ("send", "ENOTCONN"): Advice("The connection does not stand.", ("connect it",)),
    ("read", "ENOTCONN"): Advice("The connection does not stand.", ("connect it",)),
    ("send", "EPIPE"): Advice("The connection is closed.", ("connect again",)),
}

L2CAP: AdviceTable = {
    ("bind", "EACCES"): Advice(
        "A PSM below 0x1001 (low energy: 0x80) needs CAP_NET_BIND_SERVICE.",
        (
            "choose an odd PSM from 0x1001 up",
            *rights("CAP_NET_BIND_SERVICE", namespace=False),
        ),
    ),
    ("bind", "EINVAL"): Advice(
        "The kernel takes no such PSM: it is odd, and the bit 0x100 is clear; low energy has PSMs up to 0xff and the "
        "channel 4; and either a psm is given or a cid.",
        ("write 0x1001, 0x1003 …", "give either a psm or a cid"),
    ),
    ("connect", "EINVAL"): Advice(
        "There is no such PSM to connect to: it is odd, and the bit 0x100 is clear; or the address type is not that of "
        "the bound one.",
        ("see the device's services: sdptool browse ADDRESS",),
    ),
    ("send", "EMSGSIZE"): Advice(
        "The message is longer than the peer takes in one (its MTU, often 672 bytes).", ("send less at once",)
    ),
    ("listen", "EINVAL"): Advice("Datagrams and raw sockets do not listen.", ("open a SEQPACKET socket",)),
}

RFCOMM: AdviceTable = {
    ("bind", "EINVAL"): Advice("A raw socket of RFCOMM is not bound.", ("open a STREAM socket",)),
    ("listen", "EINVAL"): Advice(
        "All of RFCOMM's channels, 1 to 30, are taken.",
        ("see what listens: sudo cat /sys/kernel/debug/bluetooth/rfcomm",),
    ),
    ("connect", "EINVAL"): Advice(
        "RFCOMM has the channels 1 to 30.", ("see the device's channels: sdptool browse ADDRESS",)
    ),
}

HCI: AdviceTable = {
    ("bind", "ENODEV"): Advice(
        "There is no such adapter.",
        ("look at: bluetoothctl list, or ls /sys/class/bluetooth", "write HCI_DEV_NONE for all of them"),
    ),
    ("bind", "EBUSY"): Advice(
        "The adapter is up, and the user channel wants it down.",
        ("bluetoothctl power off", "sudo hciconfig hci0 down"),
    ),
    ("bind", "EUSERS"): Advice("Another socket has the adapter's user channel.", ("close that one",)),
    ("bind", "EPERM"): Advice(
        "The user and logging channels are for CAP_NET_ADMIN, the monitor channel for CAP_NET_RAW.",
        rights("CAP_NET_ADMIN", namespace=False),
    ),
    ("bind", "EALREADY"): Advice("The socket is bound already.", ("close it and open another",)),
    ("bind", "EINVAL"): Advice(
        "The user channel is of one adapter; the monitor, control and logging channels are of none (HCI_DEV_NONE, "
        "0xffff); and there are no others.",
        ("write the adapter for raw and user", "write HCI_DEV_NONE for monitor and control"),
    ),
    ("send", "EBADFD"): Advice("The socket is bound to no adapter.", ("bind it to one: 0 is hci0",)),
    ("send", "ENETDOWN"): Advice("The adapter is down.", ("bluetoothctl power on", "sudo hciconfig hci0 up")),
    ("send", "EPERM"): Advice(
        "Without CAP_NET_RAW only harmless commands pass.", rights("CAP_NET_RAW", namespace=False)
    ),
    ("send", "EINVAL"): Advice(
        "A packet begins with its type (1 command, 2 ACL, 3 SCO, 5 ISO) and has 4 bytes at least; a management command "
        "(control channel) says its own length.",
        (r"write a command: \x01, opcode in two bytes, number of parameters, parameters",),
    ),
    ("send", "EOPNOTSUPP"): Advice("The monitor channel is for reading.", ("bind the raw channel",)),
    ("connect", "EOPNOTSUPP"): Advice("An adapter is bound, not connected.", ("bind it",)),
    ("listen", "EOPNOTSUPP"): Advice("An adapter is bound; it has no connections here.", ("bind it",)),
    ("*", "EPIPE"): Advice("The adapter was unplugged, or is being reset.", ("bind it again",)),
}

SCO: AdviceTable = {
    ("connect", "EOPNOTSUPP"): Advice(
        "The adapter or the device has no such kind of voice (BT_VOICE: transparent wants eSCO).",
        ("leave BT_VOICE out",),
    ),
    ("send", "EINVAL"): Advice(
        "A voice packet is longer than the link's (its MTU, often 48 or 60 bytes).", ("send less at once",)
    ),
    ("connect", "EBUSY"): Advice("The link has a voice channel already.", ("close that one",)),
}

BY_PROTOCOL: dict[str, AdviceTable] = {"l2cap": L2CAP, "rfcomm": RFCOMM, "hci": HCI, "sco": SCO}
