"""Socket options of AF_CAN whose values are structures. Source: <linux/can/raw.h>, <linux/can/isotp.h>."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from sockexplorer.core import canframes
from sockexplorer.core.faults import Invalid
from sockexplorer.core.fields import Integer, Kind
from sockexplorer.core.payload import PayloadError
from sockexplorer.core.protocol import Option


@dataclass(frozen=True)
class Filters(Kind):
    """A list of ``struct can_filter``, as can-utils write it."""

    wide: bool = True

    def read(self, text: str) -> bytes:
        try:
            return canframes.read_filters(text)
        except PayloadError as error:
            raise Invalid(str(error)) from None

    def show(self, value: object) -> str:
        return canframes.filters_text(value) if isinstance(value, bytes) else str(value)

    def takes(self) -> str:
        return "id:mask for what matches, id~mask for all but that, joined by commas, such as 123:7FF; none"


@dataclass(frozen=True)
class Record(Kind):
    """A structure, as ``name=value`` of its fields; what is left out has the kernel's default.

    ``fields`` are the name, the ``struct`` format and the default of each, in order; ``flags`` the names of bits of the
    field that is called so.
    """

    fields: tuple[tuple[str, str, int], ...]
    flags: tuple[tuple[str, int], ...] = ()
    wide: bool = True

    @property
    def layout(self) -> struct.Struct:
        """The structure, without padding."""
        return struct.Struct("=" + "".join(code for _, code, _ in self.fields))

    def read(self, text: str) -> bytes:
        values = {name: default for name, _, default in self.fields}
        for word in re.split(r"[\s,]+", text.strip()):
            name, equals, value = word.partition("=")
            if not equals or name not in values:
                raise Invalid(f"{word!r} is no field", f"write {self.example()}; there are {', '.join(values)}")
            values[name] = self._number(name, value)
        try:
            return self.layout.pack(*values.values())
        except struct.error as error:
            raise Invalid(f"a number is out of range: {error}", f"write {self.example()}") from None

    def _number(self, name: str, text: str) -> int:
        kind = Integer(0, 2**32 - 1, names=dict(self.flags) if name == "flags" else {}, flags=name == "flags")
        value = kind.read(text)
        kind.check(value)
        return value

    def show(self, value: object) -> str:
        if not isinstance(value, bytes) or len(value) != self.layout.size:
            return str(value)
        shown = []
        for (name, _, _), number in zip(self.fields, self.layout.unpack(value), strict=True):
            text = canframes.flag_names(number, dict(self.flags)) if name == "flags" else str(number)
            shown.append(f"{name}={text}")
        return " ".join(shown)

    def example(self) -> str:
        """Two of the fields with their defaults."""
        return " ".join(f"{name}={default}" for name, _, default in self.fields[:2])

    def takes(self) -> str:
        return f"fields such as {self.example()}; there are {', '.join(name for name, _, _ in self.fields)}"


ISOTP_FLAGS = {
    "CAN_ISOTP_LISTEN_MODE": 0x1, "CAN_ISOTP_EXTEND_ADDR": 0x2, "CAN_ISOTP_TX_PADDING": 0x4,
    "CAN_ISOTP_RX_PADDING": 0x8, "CAN_ISOTP_CHK_PAD_LEN": 0x10, "CAN_ISOTP_CHK_PAD_DATA": 0x20,
    "CAN_ISOTP_HALF_DUPLEX": 0x40, "CAN_ISOTP_FORCE_TXSTMIN": 0x80, "CAN_ISOTP_FORCE_RXSTMIN": 0x100,
    "CAN_ISOTP_RX_EXT_ADDR": 0x200, "CAN_ISOTP_WAIT_TX_DONE": 0x400, "CAN_ISOTP_SF_BROADCAST": 0x800,
}  # fmt: skip
ISOTP_OPTIONS = Record(
    (
        ("flags", "I", 0), ("frame_txtime", "I", 50000), ("ext_address", "B", 0), ("txpad_content", "B", 0xCC),
        ("rxpad_content", "B", 0xCC), ("rx_ext_address", "B", 0),
    ),
    tuple(ISOTP_FLAGS.items()),
)  # fmt: skip
"""``struct can_isotp_options``."""
FLOW_CONTROL = Record((("bs", "B", 0), ("stmin", "B", 0), ("wftmax", "B", 0)))
"""``struct can_isotp_fc_options``: frames in a block, the gap between them, how often a sender is told to wait."""
LINK_LAYER = Record((("mtu", "B", 16), ("tx_dl", "B", 8), ("tx_flags", "B", 0)))
"""``struct can_isotp_ll_options``."""
ERROR_CLASSES = {
    "CAN_ERR_TX_TIMEOUT": 0x1, "CAN_ERR_LOSTARB": 0x2, "CAN_ERR_CRTL": 0x4, "CAN_ERR_PROT": 0x8, "CAN_ERR_TRX": 0x10,
    "CAN_ERR_ACK": 0x20, "CAN_ERR_BUSOFF": 0x40, "CAN_ERR_BUSERROR": 0x80, "CAN_ERR_RESTARTED": 0x100,
    "CAN_ERR_CNT": 0x200, "CAN_ERR_MASK": 0x1FFFFFFF,
}  # fmt: skip
ZERO_OR_ONE = Integer(0, 1)

RAW = (
    Option("SOL_CAN_RAW", "CAN_RAW_FILTER", "which frames are received", flag=False, kind=Filters()),
    Option("SOL_CAN_RAW", "CAN_RAW_ERR_FILTER", "classes of error frames to receive, joined by |; CAN_ERR_MASK is all",
           flag=False, kind=Integer(0, 0x1FFFFFFF, names=ERROR_CLASSES, flags=True, base=16)),
    Option("SOL_CAN_RAW", "CAN_RAW_LOOPBACK", "0: other sockets of this host don't see what is sent; 1 at first",
           flag=False, kind=ZERO_OR_ONE),
    Option("SOL_CAN_RAW", "CAN_RAW_RECV_OWN_MSGS", "receive what this socket sent, once it is on the bus"),
    Option("SOL_CAN_RAW", "CAN_RAW_FD_FRAMES", "CAN FD too: frames of 72 bytes", default=1),
    Option("SOL_CAN_RAW", "CAN_RAW_JOIN_FILTERS", "every filter has to match, not one of them"),
)  # fmt: skip
ISOTP = (
    Option("SOL_CAN_ISOTP", "CAN_ISOTP_OPTS", "how messages are split and padded", flag=False, kind=ISOTP_OPTIONS),
    Option("SOL_CAN_ISOTP", "CAN_ISOTP_RECV_FC", "what senders are asked for: frames a block, gap", flag=False,
           kind=FLOW_CONTROL),
    Option("SOL_CAN_ISOTP", "CAN_ISOTP_LL_OPTS", "the frames below: mtu=72 tx_dl=64 for CAN FD", flag=False,
           kind=LINK_LAYER),
)  # fmt: skip
J1939 = (
    Option("SOL_SOCKET", "SO_BROADCAST", "send to and receive from everybody, address 0xff"),
    Option("SOL_CAN_J1939", "SO_J1939_PROMISC", "receive what is for others, too"),
    Option("SOL_CAN_J1939", "SO_J1939_SEND_PRIO", "priority of what is sent: 0 the highest, 7 the lowest; 6 at first",
           flag=False, kind=Integer(0, 7)),
)  # fmt: skip
