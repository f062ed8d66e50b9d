"""socat's addresses, alone or in a command line: ``TCP4-LISTEN:80,bind=127.0.0.1,fork``, ``SOCKET-RECV:16:3:0:x…``.

Source: socat(1) of 1.7.4 and 1.8; the table of addresses in xioopen.c.
"""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterator
from dataclasses import replace

from sockexplorer.core.constants import number
from sockexplorer.core.endpoint import SetOption
from sockexplorer.core.family import Family
from sockexplorer.core.ip import classify
from sockexplorer.core.protocol import Operation, Protocol
from sockexplorer.families import family as family_named
from sockexplorer.families import numbered
from sockexplorer.notations.reading import (
    LONGEST_ELEMENT,
    Reading,
    accepts,
    fitting,
    operation,
    set_option,
    usable,
)
from sockexplorer.notations.socat_syntax import Address, addresses, data, words

NOTATION = "socat address"
_HOWS = {
    "l": "listen", "send": "sendto", "dgram": "datagram", "client": "connect", "connect": "connect",
    "listen": "listen", "recv": "recv", "recvfrom": "recvfrom", "sendto": "sendto", "datagram": "datagram",
}  # fmt: skip
_KEYWORD = re.compile(
    r"(?P<kind>tcp|inet|udp|udplite|sctp|dccp|ip)(?P<version>[46]?)(?:-(?P<how>[a-z]+))?"
    r"|(?P<local>unix|abstract|local)(?:-(?P<local_how>[a-z]+))?"
    r"|vsock(?:-(?P<vsock_how>[a-z]+))?|(?P<interface>interface|if)"
    r"|(?:socket-)(?P<generic>[a-z]+)|(?P<generic_alias>sendto|datagram|dgram)"
)
_TRANSPORTS = {
    "tcp": ("SOCK_STREAM", "IPPROTO_TCP"), "inet": ("SOCK_STREAM", "IPPROTO_TCP"),
    "udp": ("SOCK_DGRAM", "IPPROTO_UDP"), "udplite": ("SOCK_DGRAM", "IPPROTO_UDPLITE"),
    "sctp": ("SOCK_STREAM", "IPPROTO_SCTP"), "dccp": ("SOCK_DCCP", "IPPROTO_DCCP"),
}  # fmt: skip
_WITH_ARGUMENT = ("-lf", "-lp", "-b", "-t", "-T", "-L", "-W", "-r", "-R", "-S")
"""Options of socat whose argument may be the next word."""
_TYPE_OPTIONS = ("type", "so-type", "socktype")
_PROTO_OPTIONS = ("protocol", "so-protocol", "prototype", "so-prototype")
_VERSIONS = {"4": "4", "6": "6", "2": "4", "10": "6", "ip4": "4", "ip6": "6", "inet": "4", "inet6": "6",
             "ipv4": "4", "ipv6": "6"}  # fmt: skip
NAMED_OPTIONS = {
    ("SOL_SOCKET", "SO_REUSEADDR"): ("reuseaddr", "so-reuseaddr"),
    ("SOL_SOCKET", "SO_REUSEPORT"): ("reuseport", "so-reuseport"),
    ("SOL_SOCKET", "SO_BROADCAST"): ("broadcast", "so-broadcast"),
    ("SOL_SOCKET", "SO_KEEPALIVE"): ("keepalive", "so-keepalive"),
    ("SOL_SOCKET", "SO_PASSCRED"): ("passcred", "so-passcred"),
    ("SOL_SOCKET", "SO_RCVBUF"): ("rcvbuf", "so-rcvbuf"),
    ("SOL_IPV6", "IPV6_V6ONLY"): ("ipv6only", "ipv6-v6only", "v6only"),
    ("IPPROTO_TCP", "TCP_NODELAY"): ("nodelay", "tcp-nodelay"),
}
"""Options that socat has a name for, the shortest first: all of socat 1.7.3 to 1.8 know it, and set it before bind."""


def read(text: str) -> Iterator[Reading]:
    """The sockets of an address or of a command line, in the order of its arguments."""
    text = text.strip()
    command = re.search(r"(?:^|[\s|;&(/])socat[0-9.]*\s", text) is not None
    if not command and not re.match(r"""["']?[A-Za-z][A-Za-z0-9-]*:""", text):
        return
    if command:
        arguments = words(text)
        version = next((each[1] for each in arguments if each in ("-4", "-6")), "")
        yield from _all(list(_arguments(arguments)), version, files=True)
        return
    # An address alone may have been copied as it stands in a shell, or as socat sees it.
    unquoted = words(text) if re.search(r"""["']""", text) else []
    found = list(_all(unquoted, "")) or list(_all([text], ""))
    yield from found


def _all(arguments: list[str], version: str, *, files: bool = False) -> Iterator[Reading]:
    for argument in arguments:
        for address in addresses(argument):
            found = list(_sockets(address, version))
            if files and not found and "/" in address.keyword and not address.parameters:
                found = list(_file(address.keyword))
            yield from found


def _arguments(line: list[str]) -> Iterator[str]:
    """What socat is given, without the other commands of a pipeline."""
    given, skip = False, False
    for word in line:
        if skip:
            skip = False
        elif word in _WITH_ARGUMENT:
            skip = True
        elif re.fullmatch(r"(?:.*/)?socat[0-9.]*", word):
            given = True
        elif re.fullmatch(r"[|;&]+", word):
            given = False
        elif given:
            yield word


def _sockets(address: Address, version: str) -> Iterator[Reading]:
    keyword = _KEYWORD.fullmatch(address.keyword)
    if keyword is None:
        return
    try:
        if keyword["kind"] == "ip":
            yield from _raw_ip(address, keyword["version"] or version, _how(keyword["how"], "sendto"))
        elif keyword["kind"]:
            how = _how(keyword["how"], "connect")
            yield from _internet(address, keyword["kind"], keyword["version"] or version, how)
        elif keyword["local"]:
            yield from _unix(address, keyword["local"], _how(keyword["local_how"], "connect"))
        elif keyword["interface"]:
            yield from _interface(address)
        elif keyword["generic"] or keyword["generic_alias"]:
            yield from _generic(address, _how(keyword["generic"] or keyword["generic_alias"], ""))
        else:
            yield from _vsock(address, _how(keyword["vsock_how"], "connect"))
    except ValueError:
        return  # a parameter is missing, or is no number


def _how(text: str | None, default: str) -> str:
    if text is None:
        return default
    if text not in _HOWS:
        raise ValueError(text)
    return _HOWS[text]


def _number(text: str | None, default: int = 0) -> int:
    """A number as strtoul() reads it with base 0. Raises ValueError."""
    if text is None:
        return default
    found = re.fullmatch(r"\s*(0[xX][0-9a-fA-F]{1,8}|\d{1,10})\s*", text)
    if found is None:
        raise ValueError(text)
    octal = found[1][0] == "0" and found[1].isdecimal() and len(found[1]) > 1
    return int(found[1], 8 if octal else 0)


def _finished(
    address: Address, family: Family, protocol: Protocol, how: str, proto: int | None, target: object, bound: object
) -> Iterator[Reading]:
    """The reading of an address whose parameters say ``target`` and whose option bind says ``bound``."""
    does: Operation | None
    local, remote = (target, None) if how in ("listen", "recv", "recvfrom") else (bound, target)
    if how in ("listen", "recv", "recvfrom"):
        does = operation(protocol, "listen", "bind") if how == "listen" else operation(protocol, "bind", "listen")
    elif how == "datagram" and local is not None:
        does = operation(protocol, "bind")
    elif how == "connect" or local is not None:
        does = operation(protocol, "connect", "bind")
    else:
        does = "open"
    if how == "datagram" and protocol.sends_bound and local == remote:
        remote = None  # bound to where it sends: the destination says nothing new
    if all(accepts(family, protocol, each) for each in (local, remote) if each is not None):
        options = tuple(_options(address, protocol))
        yield Reading(family, protocol, does, local, remote, proto, options, NOTATION)


def _options(address: Address, protocol: Protocol) -> Iterator[SetOption]:
    for name, text in address.options:
        for (level, option), names in NAMED_OPTIONS.items():
            if name in names:
                found = set_option(protocol, number(level), number(option), _number(text or None, 1))
                yield found if found.level == level else SetOption(level, option, found.value)
        if re.fullmatch(r"(?:set)?sockopt(?:-int|-listen)?", name) and text is not None:
            parts = text.split(":", 2)
            value = data(parts[2]) if len(parts) == 3 else None
            if value is not None and len(value) == 4:
                level_number, name_number = _number(parts[0]), _number(parts[1])
                yield set_option(protocol, level_number, name_number, struct.unpack("=i", value)[0])


# --- the addresses -------------------------------------------------------------------------------------------------


def _internet(address: Address, kind: str, version: str, how: str) -> Iterator[Reading]:
    type_name, proto_name = _TRANSPORTS[kind]
    kind_number = _number(address.option(*_TYPE_OPTIONS), number(type_name))
    proto_number = _number(address.option(*_PROTO_OPTIONS), number(proto_name))
    waits = how in ("listen", "recv", "recvfrom")
    host, port = ("", address.parameters[0]) if waits else address.parameters[:2]
    bind_host, _, bind_port = _host_and_port(address.option("bind") or "")
    source = address.option("sourceport", "sp") or bind_port
    for family in _versions(version, address, host or bind_host):
        for protocol, proto in fitting(family, kind_number, proto_number):
            if waits:
                target, bound = _ip(family, bind_host, _port(port, protocol)), None
            else:
                target = _ip(family, host, _port(port, protocol))
                binds = address.option("bind", "sourceport", "sp") is not None
                bound = _ip(family, bind_host, _port(source or "0", protocol)) if binds else None
            yield from _finished(address, family, protocol, how, proto, target, bound)


def _raw_ip(address: Address, version: str, how: str) -> Iterator[Reading]:
    waits = how in ("recv", "recvfrom")
    host, proto_text = ("", address.parameters[0]) if waits else address.parameters[:2]
    bind_host = _host_and_port(address.option("bind") or "")[0]
    proto = _number(proto_text)
    for family in _versions(version, address, host or bind_host):
        for protocol in family.protocols:
            if protocol.proto_choices:
                bound = _ip(family, bind_host, 0)
                target = bound if waits else _ip(family, host, 0)
                local = None if waits or address.option("bind") is None else bound
                yield from _finished(address, family, protocol, how, proto, target, local)


def _host_and_port(text: str) -> tuple[str, str, str]:
    host, colon, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    return (host, colon, port) if colon or text.endswith("]") else (text, "", "")


def _versions(version: str, address: Address, host: str) -> list[Family]:
    """AF_INET, AF_INET6 or both: by the keyword, the option pf, the host; socat listens on IPv4 when none says."""
    if len(host) > LONGEST_ELEMENT:
        raise ValueError("no host is so long")
    version = version or _VERSIONS.get((address.option("pf", "protocol-family") or "").lower(), "")
    if not version and host:
        bare = host.strip("[]")
        kinds = {each: classify(bare, int(each)) for each in "46"}
        version = "6" if ":" in bare else "4" if kinds["4"] in ("numeric", "loose", "broadcast") else ""
    return [family_named("inet6" if each == "6" else "inet") for each in version or "46"]


def _ip(family: Family, host: str, port: int) -> object:
    host = host.strip("[]")
    six = family.constant == "AF_INET6"
    if six and "%" in host:
        try:
            return family.plain(family.protocols[0], f"[{host}]:{port}")
        except ValueError:
            host = host.partition("%")[0]  # a zone that this host has not
    return (host or ("::" if six else "0.0.0.0"), port)


def _port(text: str, protocol: Protocol) -> int:
    """A port by number, or by name in the local table of services. Raises ValueError."""
    try:
        return _number(text)
    except ValueError:
        try:
            return socket.getservbyname(text, "udp" if protocol.type == "SOCK_DGRAM" else "tcp")
        except (OSError, UnicodeError):
            raise ValueError(text) from None


def _unix(address: Address, keyword: str, how: str) -> Iterator[Reading]:
    family = family_named("unix")
    default = "SOCK_STREAM" if how in ("connect", "listen") else "SOCK_DGRAM"
    kind = _number(address.option(*_TYPE_OPTIONS), number(default))
    (path,) = address.parameters
    bind = address.option("bind")
    bound = None if bind is None else _path(keyword, bind)
    for protocol, proto in fitting(family, kind, 0):
        yield from _finished(address, family, protocol, how, proto, _path(keyword, path), bound)
    if address.keyword in ("unix", "unix-client", "abstract", "abstract-client"):
        for protocol, proto in fitting(family, number("SOCK_DGRAM"), 0):
            yield from _finished(address, family, protocol, "sendto", proto, _path(keyword, path), bound)


def _path(keyword: str, text: str) -> object:
    return b"\0" + text.encode("utf-8", "surrogateescape") if keyword == "abstract" else text


def _file(path: str) -> Iterator[Reading]:
    """A bare path, which socat opens as whatever it is (GOPEN): a socket here."""
    family = family_named("unix")
    for protocol in family.protocols:
        yield from _finished(Address("gopen", (path,)), family, protocol, "connect", None, path, None)


def _vsock(address: Address, how: str) -> Iterator[Reading]:
    family = family_named("vsock")
    any_ = number("VMADDR_CID_ANY") if hasattr(socket, "VMADDR_CID_ANY") else 0xFFFFFFFF
    cid, _, port = (address.option("bind") or "").partition(":")
    bound = (_number(cid or None, any_), _number(port or None, any_))
    if how == "listen":
        (text,) = address.parameters
        target = (bound[0], _number(text))
    else:
        target = (_number(address.parameters[0]), _number(address.parameters[1]))
    for protocol, proto in fitting(family, _number(address.option(*_TYPE_OPTIONS), number("SOCK_STREAM")), 0):
        local = None if how == "listen" or address.option("bind") is None else bound
        yield from _finished(address, family, protocol, how, proto, target, local)


def _interface(address: Address) -> Iterator[Reading]:
    family = family_named("packet")
    (name,) = address.parameters
    everything = family.fields(family.protocols[0])[1].parse("ETH_P_ALL")
    for protocol, proto in fitting(family, _number(address.option(*_TYPE_OPTIONS), number("SOCK_RAW")), 0):
        yield from _finished(address, family, protocol, "recv", proto, (name, everything), None)


def _generic(address: Address, how: str) -> Iterator[Reading]:
    """``SOCKET-…``: numbers, and a sockaddr in data notation without the address family in front."""
    given = address.parameters
    if how in ("connect", "listen"):
        domain, proto, target = (*given[:2], ":".join(given[2:]))
        kind = address.option(*_TYPE_OPTIONS)
    else:
        domain, kind, proto, target = (*given[:3], ":".join(given[3:]))
    bind = address.option("bind")
    for family in numbered(_number(domain)):
        for protocol, number_ in fitting(family, _number(kind, number("SOCK_STREAM")), _number(proto)):
            there = _unpacked(family, protocol, target)
            here = None if bind is None else _unpacked(family, protocol, bind)
            if there is None or (bind is not None and here is None):
                continue
            for found in _finished(address, family, protocol, how, number_, there, here):
                # Port numbers of raw sockets are the protocol's, or nothing.
                yield replace(found, proto=number_ if number_ is not None else found.proto)


def _unpacked(family: Family, protocol: Protocol, text: str) -> object:
    raw = data(text)
    if raw is None:
        return None
    return usable(family, protocol, family.unpack(protocol, struct.pack("=H", family.number) + raw))
