"""From options to an endpoint."""

from __future__ import annotations

from typing import Any

import click
import pytest

from sockexplorer.cli import asked
from sockexplorer.cli.target import Target
from sockexplorer.core.endpoint import SetOption
from sockexplorer.families import find


def endpoint(path: str, **more: Any) -> Any:
    return asked.endpoint(Target(*find(path)), **more)


@pytest.mark.parametrize(
    ("path", "more", "operation", "local", "remote"),
    [
        ("inet/udp", {}, "bind", ("127.0.0.1", 9999), None),
        ("inet/tcp", {}, "listen", ("127.0.0.1", 9999), None),
        ("inet/tcp", {"listen": True, "bind": "127.0.0.1:1"}, "listen", ("127.0.0.1", 1), None),
        ("inet/tcp", {"bind": "127.0.0.1:1"}, "listen", ("127.0.0.1", 1), None),
        ("inet/udp", {"bind": "127.0.0.1:1"}, "bind", ("127.0.0.1", 1), None),
        ("inet/udp", {"connect": "127.0.0.1:1"}, "connect", None, ("127.0.0.1", 1)),
        ("inet/tcp", {"connect": "127.0.0.1:1", "bind": "127.0.0.1:0"}, "connect", ("127.0.0.1", 0), ("127.0.0.1", 1)),
        ("inet/udp", {"to": "127.0.0.1:1"}, "open", None, ("127.0.0.1", 1)),
        ("inet/udp", {"to": "127.0.0.1:1", "bind": "127.0.0.1:0"}, "bind", ("127.0.0.1", 0), ("127.0.0.1", 1)),
        ("unix/dgram", {}, "bind", "/tmp/sockexplorer.sock", None),
        ("netlink/route", {}, "bind", (0, 0x111), None),
        ("packet/raw", {}, "bind", ("lo", 3), None),
        ("vsock/stream", {}, "listen", (0xFFFFFFFF, 1234), None),
    ],
)
def test_endpoint(path: str, more: dict[str, Any], operation: str, local: object, remote: object) -> None:
    found = endpoint(path, **more)
    assert (found.operation, found.local, found.remote) == (operation, local, remote)


@pytest.mark.parametrize(
    ("path", "text", "option"),
    [
        ("inet/udp", "SO_REUSEADDR=1", ("SOL_SOCKET", "SO_REUSEADDR", 1)),
        ("inet/udp", "so_broadcast", ("SOL_SOCKET", "SO_BROADCAST", 1)),
        ("inet/tcp", "TCP_NODELAY=off", ("IPPROTO_TCP", "TCP_NODELAY", 0)),
        ("inet/udplite", "UDPLITE_SEND_CSCOV=8", ("SOL_UDPLITE", "UDPLITE_SEND_CSCOV", 8)),
        ("inet6/udp", "IPV6_V6ONLY=0x1", ("SOL_IPV6", "IPV6_V6ONLY", 1)),
        ("inet/udp", "IP_TTL=3", ("IPPROTO_IP", "IP_TTL", 3)),
        ("inet/udp", "SOL_SOCKET:36=5", ("SOL_SOCKET", "36", 5)),
    ],
)
def test_socket_options(path: str, text: str, option: tuple[str, str, int]) -> None:
    assert SetOption(*option) in endpoint(path, options=(text,)).options


def test_a_server_has_the_options_of_the_form_unless_told_otherwise() -> None:
    reuse = SetOption("SOL_SOCKET", "SO_REUSEADDR", 1)
    assert endpoint("inet/tcp").options == (reuse,)
    assert endpoint("inet/tcp", options=("SO_REUSEADDR=0",)).options == (SetOption("SOL_SOCKET", "SO_REUSEADDR", 0),)
    assert endpoint("inet/tcp", connect="127.0.0.1:80").options == ()
    assert endpoint("inet/udp").options == ()


@pytest.mark.parametrize("text", ["SO_NOTHING=1", "SO_REUSEADDR=x", "36=1", "SO_REUSEADDR=4294967296", "", "A:B=1"])
def test_socket_options_that_are_none(text: str) -> None:
    with pytest.raises(click.BadParameter):
        endpoint("inet/udp", options=(text,))


@pytest.mark.parametrize(("text", "number"), [("udp", 17), ("IPPROTO_GRE", 47), ("99", 99), ("0x11", 17)])
def test_protocol_numbers(text: str, number: int) -> None:
    assert endpoint("inet/raw", proto=text).proto == number


@pytest.mark.parametrize(("path", "text"), [("inet/raw", "nothing"), ("inet/raw", "-1"), ("inet/tcp", "6")])
def test_protocol_numbers_that_are_none(path: str, text: str) -> None:
    with pytest.raises(click.BadParameter):
        endpoint(path, proto=text)
