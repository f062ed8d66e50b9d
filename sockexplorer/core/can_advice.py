"""What an errno means for AF_CAN, by call and by protocol. Source: Linux' can.rst, <linux/can.h>, net/can."""

from __future__ import annotations

from sockexplorer.core.advice import Advice, AdviceTable, rights

NO_INTERFACE = Advice(
    "There is no such CAN interface: the name is none of this host's, or one of another kind, such as lo or eth0.",
    (
        "make a virtual one: sudo ip link add dev vcan0 type vcan; sudo ip link set vcan0 up",
        "choose one of: ip link show type vcan; ip link show type can",
    ),
)
NOT_HERE = Advice(
    "This kernel has no CAN sockets.",
    ("sudo modprobe can, if this system has that module", "see what this host has: sockexplorer doctor can"),
)
DOWN = Advice(
    "The interface is down, or went down: no frame comes or goes.",
    (
        "for a virtual one: sudo ip link set vcan0 up",
        "for a real one: sudo ip link set can0 up type can bitrate 500000",
        "after a bus-off: sudo ip link set can0 type can restart",
    ),
)
UNCLEAN_PGN = Advice(
    "A PGN below 0xf000 ends in 00, since its last byte is the destination; and a socket keeps to one interface.",
    ("write the PGN without the destination, 0xea00 for a request", "open another socket for another interface"),
)
J1939_BROADCAST = Advice(
    "Address 0xff without a NAME is everybody, which wants SO_BROADCAST.",
    ("switch SO_BROADCAST on", "give a destination address below 0xfe"),
)

CAN: AdviceTable = {
    ("*", "ENODEV"): NO_INTERFACE,
    ("socket", "EAFNOSUPPORT"): NOT_HERE,
    ("socket", "EPROTOTYPE"): Advice(
        "CAN_RAW is for SOCK_RAW; CAN_BCM, CAN_ISOTP and CAN_J1939 are for SOCK_DGRAM.",
        ("choose the type that the protocol is for",),
    ),
    ("socket", "EINVAL"): Advice("CAN has the protocols 1 to 7.", ("choose raw, bcm, isotp or j1939",)),
    ("bind", "ENETDOWN"): DOWN,
    ("connect", "ENETDOWN"): DOWN,
    ("send", "ENETDOWN"): DOWN,
    ("read", "ENETDOWN"): DOWN,
    ("read", "ENODEV"): Advice(
        "The interface that the socket is bound to is gone.", ("make it again, and bind again: ip link",)
    ),
    ("listen", "EOPNOTSUPP"): Advice("CAN has no connections to listen for.", ("bind instead",)),
    ("send", "ENOBUFS"): Advice(
        "The interface's queue of frames (txqueuelen, 10 by default) is full: nobody on the bus acknowledges, or this "
        "sends faster than the bus.",
        (
            "check wiring, termination and bit rate: ip -details -statistics link show can0",
            "make the queue longer: sudo ip link set can0 txqueuelen 1000",
            "send more slowly",
        ),
    ),
    ("send", "EPERM"): Advice("The interface is none of CAN.", ("choose one of: ip link show type vcan",)),
}

RAW: AdviceTable = {
    ("bind", "ENODEV"): NO_INTERFACE,
    ("connect", "EOPNOTSUPP"): Advice(
        "A raw CAN socket can't be connected: every node of the bus hears every frame.", ("bind it instead",)
    ),
    ("send", "ENXIO"): Advice(
        "No interface to send on: the socket is bound to all of them, or its interface is gone.",
        ("name the interface in the peer's address", "bind to one"),
    ),
    ("send", "EINVAL"): Advice(
        "A raw frame is a struct can_frame of 16 bytes with a length up to 8, or, with CAN_RAW_FD_FRAMES and an "
        "interface of MTU 72, a canfd_frame of 72.",
        (
            "pack it: struct.pack('=IB3x8s', id, length, data)",
            "for FD: set CAN_RAW_FD_FRAMES, and sudo ip link set vcan0 mtu 72 while it is down",
        ),
    ),
    ("send", "EMSGSIZE"): Advice(
        "The frame is longer than the interface's MTU: 16 is classic CAN, 72 is FD.",
        ("send a classic frame", "sudo ip link set can0 mtu 72 while it is down"),
    ),
    ("setsockopt", "EINVAL"): Advice(
        "The option takes another length: CAN_RAW_FILTER pairs of id and mask (8 bytes each, 512 pairs at most), the "
        "others an int.",
        ("pack a filter: struct.pack('=II', id, mask)",),
    ),
}

BCM: AdviceTable = {
    ("bind", "EOPNOTSUPP"): Advice("The broadcast manager is connected, not bound.", ("connect instead",)),
    ("connect", "EISCONN"): Advice("It is connected to an interface already.", ("open another socket",)),
    ("send", "ENOTCONN"): Advice("The broadcast manager is not connected.", ("connect it to an interface",)),
    ("send", "ENODEV"): Advice(
        "The socket is connected to all interfaces, or to one that is gone: to send, it wants one.",
        ("connect to one interface", "choose one of: ip link show type can"),
    ),
    ("send", "EINVAL"): Advice(
        "A message is a struct bcm_msg_head (56 bytes on 64 bits) and as many frames as its nframes says; it names a "
        "known opcode, and deletes or reads only what was set up.",
        (
            "pack the head: struct.pack('@IIIllllII0q', opcode, flags, count, 0, 0, 0, 0, id, nframes)",
            "set CAN_FD_FRAME in flags for frames of 72 bytes",
        ),
    ),
    ("send", "E2BIG"): Advice(
        "An update of a job may not have more frames than the job began with.",
        ("delete it (TX_DELETE, RX_DELETE), then set it up again",),
    ),
}

ISOTP: AdviceTable = {
    ("connect", "EOPNOTSUPP"): Advice(
        "An ISO-TP socket is not connected: its peer is in the ids that it is bound to.", ("bind it instead",)
    ),
    ("bind", "EADDRNOTAVAIL"): Advice(
        "The ids to receive and to send are the same: the socket would answer itself.",
        ("give two different ids: an ECU that answers at 0x7e8 is asked at 0x7e0",),
    ),
    ("bind", "EINVAL"): Advice(
        "An id has bits that no id has: 11 bits go up to 0x7ff, and 29 bits want CAN_EFF_FLAG; or the socket is bound "
        "already; or its frames are longer than the interface's MTU.",
        ("add 0x80000000 to 29-bit ids", "write 11-bit ids up to 0x7ff"),
    ),
    ("bind", "ENODEV"): Advice(
        "ISO-TP wants one CAN interface: an empty name, or one of another kind, is none.", NO_INTERFACE.fixes
    ),
    ("bind", "EAGAIN"): Advice("A message is under way.", ("wait for it to end",)),
    ("setsockopt", "EISCONN"): Advice("Options of ISO-TP are for before bind.", ("set it before the socket is bound",)),
    ("setsockopt", "EINVAL"): Advice(
        "The option takes a structure of another length (CAN_ISOTP_OPTS 12 bytes, CAN_ISOTP_RECV_FC 3, "
        "CAN_ISOTP_LL_OPTS 3), or flags that exclude each other.",
        ("see linux/can/isotp.h",),
    ),
    ("send", "EADDRNOTAVAIL"): Advice("The socket is not bound: it has no ids.", ("bind it first",)),
    ("send", "EINVAL"): Advice(
        "A message has 1 to 8300 bytes (the module's max_pdu_size), and without flow control as many as one frame.",
        (
            "send less at once",
            "allow more: sudo modprobe -r can-isotp; sudo modprobe can-isotp max_pdu_size=65536",
        ),
    ),
    ("send", "EAGAIN"): Advice(
        "The last message is still under way, frame by frame.", ("wait until it is sent, then send again",)
    ),
    ("send", "ENXIO"): Advice("The interface is gone.", ("make it again, and bind again: ip link",)),
    ("*", "ECOMM"): Advice(
        "The message was not sent: no flow control came within a second, so nobody takes it at these ids, or the bus "
        "does not carry frames.",
        (
            "check that the ids are the right way round: rx is what is received here",
            "see what is on the bus: candump vcan0",
            "start a receiver: isotprecv -s RX -d TX vcan0",
        ),
    ),
    ("read", "ETIMEDOUT"): Advice(
        "A long message began and stopped: the next of its frames did not come within a second.",
        ("see what is on the bus: candump vcan0", "let the sender send it again"),
    ),
    ("read", "EILSEQ"): Advice(
        "A frame of a long message was lost, or came out of turn: its sequence number was not the next.",
        (
            "let the sender send it again",
            "slow it down: a longer STmin or a smaller block size in CAN_ISOTP_RECV_FC",
        ),
    ),
    ("*", "EBADMSG"): Advice(
        "A frame was not what ISO 15765-2 says: a flow control with an unknown status, or wrong padding where the "
        "options ask for padding to be checked.",
        ("give both ends the same padding", "leave CAN_ISOTP_CHK_PAD_LEN and CAN_ISOTP_CHK_PAD_DATA out"),
    ),
    ("read", "EMSGSIZE"): Advice(
        "The receiver answered that the message is too long for it (flow control: overflow).",
        ("send less at once",),
    ),
}

J1939: AdviceTable = {
    ("bind", "ENODEV"): Advice(
        "J1939 wants one CAN interface: an empty name, or one of another kind, is none.", NO_INTERFACE.fixes
    ),
    ("bind", "EINVAL"): UNCLEAN_PGN,
    ("connect", "EDESTADDRREQ"): Advice("No destination was given.", ("give a peer",)),
    ("connect", "EACCES"): J1939_BROADCAST,
    ("send", "EACCES"): J1939_BROADCAST,
    ("connect", "EINVAL"): Advice(
        "J1939 binds before it connects, on the same interface; and a PGN below 0xf000 ends in 00.",
        ("give a local address, too", "write the PGN without the destination"),
    ),
    ("send", "EBADFD"): Advice(
        "The socket has no address to send from (it is not bound, or to 0xff without a NAME), or the peer is on "
        "another interface.",
        ("bind an address up to 0xfd", "name the interface that is bound"),
    ),
    ("send", "EINVAL"): UNCLEAN_PGN,
    ("send", "EADDRNOTAVAIL"): Advice(
        "A NAME has no address yet: the sender's, or the receiver's, was not claimed on this bus.",
        (
            "claim it first: send the NAME, 8 bytes, to PGN 0xee00 with SO_BROADCAST on",
            "let a daemon do it: j1939acd",
            "use addresses instead of a NAME (0)",
        ),
    ),
    ("send", "EPROTO"): Advice(
        "A claim of an address (PGN 0xee00) is the bound NAME, 8 bytes, least significant first, from an address, to "
        "all.",
        ("send struct.pack('<Q', NAME) to address 0xff",),
    ),
    ("send", "EDESTADDRREQ"): Advice(
        "More than 1785 bytes go to one receiver only, not to all.", ("give a destination address", "send less")
    ),
    ("send", "EMSGSIZE"): Advice(
        "J1939 carries 8 bytes in a frame, 1785 by its transport and 117440505 by the extended one.",
        ("send less at once",),
    ),
    ("send", "EDOM"): Advice(
        "The PGNs of the transport protocol itself (0xeb00, 0xec00, 0xc700, 0xc800) are the kernel's.",
        ("choose another PGN",),
    ),
    ("send", "EBUSY"): Advice(
        "A message to the same destination is under way.", ("wait until it is sent, then send again",)
    ),
    ("send", "EAGAIN"): Advice(
        "The socket's queue of messages is full.", ("wait until they are sent, then send again",)
    ),
    ("*", "EHOSTUNREACH"): Advice(
        "A long message was given up (abort: timeout): the receiver did not answer the request to send, or fell silent "
        "in the middle.",
        ("check the destination address", "see what is on the bus: candump vcan0"),
    ),
    ("*", "ETIME"): Advice(
        "A message of one frame did not leave the controller in time: nobody on the bus acknowledges.",
        ("check wiring and bit rate", "see the controller's state: ip -details link show can0"),
    ),
    ("*", "ENETUNREACH"): Advice(
        "A long message was given up: the interface's queue stayed full.",
        ("check wiring and bit rate", "make the queue longer: sudo ip link set can0 txqueuelen 1000"),
    ),
    ("*", "EALREADY"): Advice(
        "The receiver has a session with this sender already (abort: busy).", ("send it again later",)
    ),
    ("read", "EMSGSIZE"): Advice(
        "The receiver has no room for the message (abort: resources).", ("send less at once",)
    ),
    ("*", "EBADMSG"): Advice(
        "The other end aborted a long message without a reason that says more.", ("send it again",)
    ),
    ("*", "ENOTRECOVERABLE"): Advice(
        "The other end aborted a long message: too many requests to send a part again.", ("send it again",)
    ),
    ("*", "EILSEQ"): Advice(
        "The other end aborted a long message: a part came out of turn.", ("send it again, slower",)
    ),
    ("read", "EPROTO"): Advice(
        "The other end aborted a long message: it, or this end, broke the transport protocol.",
        ("see what is on the bus: candump vcan0",),
    ),
    ("read", "ENOTCONN"): Advice(
        "The other end aborted a long message: it came without a request to send.", ("send it again",)
    ),
    ("*", "ESHUTDOWN"): Advice(
        "A long message was given up, since its socket was closed or its address lost.", ("send it again",)
    ),
    ("setsockopt", "EDOM"): Advice("A priority is 0 (highest) to 7.", ("write 6, the default",)),
    ("setsockopt", "EPERM"): Advice(
        "The priorities 0 and 1 need CAP_NET_ADMIN.",
        ("write 2 or more", *rights("CAP_NET_ADMIN", namespace=False)),
    ),
}

BY_PROTOCOL: dict[str, AdviceTable] = {"raw": RAW, "bcm": BCM, "isotp": ISOTP, "j1939": J1939}
