"""Writes the pictures of this directory: ``.venv/bin/python screenshots/make.py [NAME …]``.

Drives the real explorer with real traffic, in a network namespace of its own: ports are free there, netlink and
packet sockets need no rights, and nothing of this machine gets into a picture. SVG always; PNG too where chromium is
installed (rsvg-convert knows no textLength: columns would not align).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input

from sockexplorer.client.hub import Hub
from sockexplorer.client.session import Session
from sockexplorer.families import find
from sockexplorer.ui.app import ExplorerApp
from sockexplorer.ui.panes.capabilities import CapabilityList
from sockexplorer.ui.screens.main import MainScreen
from sockexplorer.ui.settings import Settings
from sockexplorer.ui.widgets.details import Details

HERE = Path(__file__).resolve().parent
INSIDE = "SOCKEXPLORER_SCREENSHOTS_INSIDE"
PATIENCE = 15.0
FONT = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"
WIDE, SMALL, TALL = (120, 40), (80, 24), (100, 34)
DNS_QUERY = bytes.fromhex("1f9a01000001000000000000 076578616d706c65 03636f6d 00 0001 0001")
NTP_REQUEST = bytes([0x23, 0, 6, 0xEC]) + bytes(36) + bytes.fromhex("e8d1b4a05c28f5c2")
HOSTILE = b"\x1b]0;owned\x07\x1b[2J\x1b[31m[red]not a colour[/red] \xe2\x80\xae evil.txt \xff\xfe\x00"


@dataclass
class Stage:
    """An explorer on the screen, and what a person at it does."""

    app: ExplorerApp
    pilot: Pilot[None]
    hub: Hub

    @property
    def main(self) -> MainScreen:
        """The screen with the panes."""
        screen = self.app.screen
        assert isinstance(screen, MainScreen)
        return screen

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for something that must come."""
        for _ in range(int(PATIENCE / 0.02)):
            if condition():
                return
            await self.pilot.pause(0.02)
        raise TimeoutError(f"waited {PATIENCE:g} s for {what}")

    async def open(self, path: str, key: str) -> Session:
        """Choose a protocol, open it with its defaults."""
        before = len(self.hub.sessions)
        for node in self.main.families.family_tree.root.children:
            node.collapse()
        self.main.pick(*find(path))
        await self.pilot.pause(0.2)
        await self.pilot.press(key)
        await self.until(lambda: len(self.hub.sessions) > before, f"{path} to open")
        session = list(self.hub.sessions.values())[-1]
        await self.until(lambda: session.state != "opening", f"{path} to open")
        await self.until(lambda: self.main.traffic.session is session, f"{path} to be shown")
        if session.problem is not None:
            raise RuntimeError(session.problem.headline())
        return session

    async def type(self, name: str, text: str) -> None:
        """Fill in a field of the form."""
        field = next(each for each in self.main.query(Input) if each.name == name)
        field.focus()
        field.value = text
        await self.pilot.pause(0.1)

    async def details(self) -> None:
        """Show the details of the row under the cursor, if they are not yet."""
        if not self.main.query_one(Details).display:
            await self.pilot.press("enter")
        await self.settle()

    async def settle(self) -> None:
        """Let the last change be drawn."""
        await self.pilot.pause(0.4)

    def picture(self) -> str:
        """What is on the screen, as SVG."""
        return tidy(self.app.export_screenshot(), self.app.current_theme.background or "#000000")


@contextlib.asynccontextmanager
async def stage(size: tuple[int, int], theme: str = "sockexplorer-dark") -> AsyncIterator[Stage]:
    """Start an explorer, wait until it knows the host; end it."""
    hub = Hub()
    try:
        app = ExplorerApp(hub, Settings(theme=theme))
        app.animation_level = "none"
        async with app.run_test(size=size) as pilot:
            made = Stage(app, pilot, hub)
            await made.until(lambda: isinstance(app.screen, MainScreen), "the main screen")
            await made.until(lambda: made.main.query_one(CapabilityList).line_count() > 1, "the probe")
            for each in made.main.query(Input):
                each.cursor_blink = False
            yield made
    finally:
        hub.shut_down()


@contextlib.contextmanager
def udp(port: int) -> Iterator[socket.socket]:
    """A peer at a fixed port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", port))
        yield sock


async def talk(on: Stage, session: Session) -> None:
    """Datagrams of three peers to a UDP session, and answers."""
    here = ("127.0.0.1", 9999)
    with udp(40001) as one, udp(40002) as two, udp(40003) as three:
        script: list[tuple[socket.socket, bytes, bytes]] = [
            (one, b"hello\n", b"hello yourself\n"),
            (two, b'{"sensor": 7, "temperature": 21.5, "humidity": 48}', b""),
            (one, DNS_QUERY, b""),
            (three, "grüße, κόσμε, привет".encode(), b""),
            (two, b'{"sensor": 7, "temperature": 21.6, "humidity": 47}', b'{"ok": true}'),
            (one, NTP_REQUEST, b""),
            (three, b"", b""),
            (two, bytes(range(256)) * 4, b""),
            (three, HOSTILE, b"no, thank you\n"),
        ]
        for peer, question, answer in script:
            received = session.log.received
            peer.sendto(question, here)
            await on.until(lambda before=received: session.log.received > before, "a datagram")  # type: ignore[misc]
            if answer:
                sent = session.log.sent
                on.hub.send(session, answer, to=peer.getsockname())
                await on.until(lambda before=sent: session.log.sent > before, "an answer")  # type: ignore[misc]
            await on.pilot.pause(0.11)


@contextlib.asynccontextmanager
async def others(on: Stage) -> AsyncIterator[None]:
    """A listener with two peers, and netlink with what it has to tell."""
    listener = await on.open("inet/tcp", "l")
    with contextlib.ExitStack() as peers:
        for greeting in (b"GET / HTTP/1.0\r\n\r\n", b"EHLO example.com\r\n"):
            peer = peers.enter_context(socket.create_connection(("127.0.0.1", 9999), PATIENCE))
            peer.sendall(greeting)
        await on.until(lambda: len(listener.connections) == 2, "two peers")
        netlink = await on.open("netlink/route", "b")
        for change in ("add", "del"):
            ip("address", change, "192.0.2.1/24", "dev", "lo")
        await on.until(lambda: netlink.log.received >= 2, "two changes")
        yield


async def panes(theme: str) -> str:
    """Everything in sight, with three sessions and a row's details."""
    async with stage(WIDE, theme) as on, others(on):
        session = await on.open("inet/udp", "b")
        await talk(on, session)
        await on.pilot.press("g", "j", "j", "j")
        await on.details()
        return on.picture()


async def address() -> str:
    """A form with two errors."""
    async with stage(SMALL) as on:
        on.main.pick(*find("inet6/udp"))
        await on.pilot.pause(0.2)
        await on.type("local.host", "fe80::1::2")
        await on.type("remote.host", "fe80::1")
        await on.type("remote.port", "53")
        await on.type("local.port", "70000")
        await on.pilot.press("end")
        await on.settle()
        return on.picture()


async def sockaddr() -> str:
    """The bytes of a packet socket's address beside its form."""
    async with stage(SMALL) as on:
        on.main.pick(*find("packet/raw"))
        await on.pilot.pause(0.2)
        await on.type("local.proto", "ETH_P_ARP")
        await on.pilot.press("escape", "s")
        await on.settle()
        return on.picture()


async def code() -> str:
    """A TIPC socket as an asyncio script."""
    async with stage(SMALL) as on:
        on.main.pick(*find("tipc/rdm"))
        await on.pilot.pause(0.2)
        await on.pilot.press("v", "tab")
        await on.settle()
        return on.picture()


async def traffic() -> str:
    """A hostile datagram, looked at."""
    async with stage(SMALL) as on:
        session = await on.open("inet/udp", "b")
        await talk(on, session)
        await on.details()
        await on.pilot.press("G", "k")
        await on.settle()
        return on.picture()


async def netlink() -> str:
    """What the kernel tells of its addresses and interfaces, a message unfolded."""
    async with stage(TALL) as on:
        session = await on.open("netlink/route", "b")
        for words in (
            "link add eth7 type veth peer name eth8", "link set eth7 up", "address add 192.0.2.1/24 dev eth7",
            "address add 198.51.100.1/24 dev eth7", "link set eth7 mtu 9000", "address del 192.0.2.1/24 dev eth7",
        ):  # fmt: skip
            before = session.log.received
            ip(*words.split())
            await on.until(lambda before=before: session.log.received > before, words)  # type: ignore[misc]
            await on.pilot.pause(0.06)
        await on.pilot.pause(0.3)
        log = session.log
        rows = [session.summary(log.frame(number)) for number in range(log.first, log.end)]
        await on.pilot.press("g", *("j" * next(line for line, said in enumerate(rows) if "RTM_NEWADDR" in said)))
        await on.details()
        return on.picture()


async def can() -> str:
    """A bus with frames of a vehicle; only on a kernel that has AF_CAN, such as that of tests/kernel/lab.py."""
    ip("link", "add", "dev", "vcan0", "type", "vcan")
    ip("link", "set", "vcan0", "up")
    engine_speed = bytes.fromhex("f07d7d40380000ff")
    frames = [
        (0x123, b"\xde\xad\xbe\xef"), (0x0CF00400 | 1 << 31, engine_speed), (0x18FEF100 | 1 << 31, bytes(8)),
        (0x7DF, bytes.fromhex("02010c0000000000")), (0x7E8, bytes.fromhex("04410c1af8000000")), (0x321 | 1 << 30, b""),
        (0x20000004, bytes.fromhex("0004000000000000")), (0x0CF00400 | 1 << 31, engine_speed[::-1]),
    ]  # fmt: skip
    async with stage(TALL) as on:
        session = await on.open("can/raw", "b")
        with socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW) as bus:
            bus.bind(("vcan0",))
            for number, data in frames:
                bus.send(struct.pack("=IB3x8s", number, len(data), data))
                await on.pilot.pause(0.12)
        await on.until(lambda: session.log.received >= len(frames) - 1, "the frames")
        await on.pilot.press("g", "j")
        await on.details()
        return on.picture()


async def capabilities() -> str:
    """What a kernel lacks, and why."""
    async with stage(SMALL) as on:
        on.main.action_pane(4)
        await on.pilot.press("/", *"not in this kernel")
        await on.pilot.press("enter")
        rows = on.main.query_one(CapabilityList)
        texts = ["".join(text for text, _ in rows.line(index, SMALL[0])) for index in range(rows.line_count())]
        found = [index for name in ("AF_CAN ", "AF_") for index, text in enumerate(texts) if f" {name}" in text]
        rows.move_to(next(iter(found), 1))
        await on.settle()
        return on.picture()


SCENES: dict[str, Callable[[], Coroutine[object, object, str]]] = {
    "explorer": lambda: panes("sockexplorer-dark"),
    "light": lambda: panes("sockexplorer-light"),
    "address": address,
    "sockaddr": sockaddr,
    "code": code,
    "traffic": traffic,
    "netlink": netlink,
    "can": can,
    "capabilities": capabilities,
}


def tidy(svg: str, background: str) -> str:
    """The picture with the fonts that a machine has, no seams, and ids that stay the same from run to run."""
    svg = re.sub(r"@font-face\s*\{[^}]*\}\s*", "", svg)
    svg = re.sub(r"font-family: ?[^;]*;", f"font-family: {FONT};", svg)
    svg = re.sub(r"terminal-\d+", "terminal", svg)
    # Lines are 24.4 px apart: at 21 px, and not clipped one by one, frames reach from each to the next.
    svg = svg.replace("font-size: 20px;", "font-size: 21px;")
    svg = re.sub(r'<clipPath id="terminal-line-\d+">.*?</clipPath>\s*', "", svg, flags=re.DOTALL)
    svg = re.sub(r' clip-path="url\(#terminal-line-\d+\)"', "", svg)
    svg = svg.replace("<!-- Generated with Rich https://www.textualize.io -->", "")
    # Cells are rectangles of their own; where two of them don't quite meet, the page shows and not the window's frame.
    page = f'<rect fill="{background}" width="100%" height="100%"/>'
    svg = re.sub(r'(<g transform="translate\([^"]*\)" clip-path="url\(#terminal-clip-terminal\)">)', rf"\1{page}", svg)
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def to_png(svg: Path, browser: str) -> None:
    """Make a PNG beside an SVG."""
    png = svg.with_suffix(".png")
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg.read_text())
    assert box is not None
    width, height = (int(float(each)) for each in box.groups())
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             f"--user-data-dir={profile}", "--hide-scrollbars", "--default-background-color=00000000",
             f"--window-size={width},{height}", f"--screenshot={png}",
             svg.as_uri()],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip


def has_can() -> bool:
    """Whether this kernel has AF_CAN; else the picture of it stays as it is."""
    with contextlib.suppress(OSError):
        socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW).close()
        return True
    return False


def ip(*arguments: str) -> None:
    """Change something in the namespace."""
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def draw(names: list[str]) -> None:
    """Write the SVG pictures; inside the namespace."""
    ip("link", "set", "lo", "up")
    for name in names:
        (HERE / f"{name}.svg").write_text(asyncio.run(SCENES[name]()))
        print(f"{name}.svg", flush=True)


def main(names: list[str]) -> None:
    """Draw in a namespace of its own, convert outside of it."""
    if unknown := [name for name in names if name not in SCENES]:
        sys.exit(f"no picture is called {unknown[0]!r}; there are {', '.join(SCENES)}")
    names = names or [each for each in SCENES if each != "can" or has_can()]
    if os.environ.get(INSIDE):
        draw(names)
        return
    namespace = ["unshare", "--net", "--pid", "--fork", "--mount-proc", *(["-r"] if os.geteuid() else [])]
    environment = {**os.environ, INSIDE: "1", "TZ": "UTC", "HOME": "/nonexistent"}
    environment["TEXTUAL_COLOR_SYSTEM"] = "truecolor"
    subprocess.run([*namespace, sys.executable, __file__, *names], check=True, env=environment)
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        print("no PNG: chromium is not installed")
        return
    for name in names:
        to_png(HERE / f"{name}.svg", browser)
        print(f"{name}.png", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
