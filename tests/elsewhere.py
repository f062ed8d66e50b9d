"""Ways to another place on this machine, for the tests of engines elsewhere: made for the test, and cleared away."""

from __future__ import annotations

import contextlib
import os
import pwd
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import PATIENCE, unshare, wait

SSHD = "/usr/sbin/sshd"
SSHD_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {directory}/host
AuthorizedKeysFile {directory}/user.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
"""


def script(directory: Path, name: str, text: str) -> str:
    """A shell script, as a path: a command of the test's own."""
    path = directory / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@contextlib.contextmanager
def sudo(directory: Path) -> Iterator[str]:
    """As the user ``nobody``."""
    if subprocess.run(["sudo", "-n", "-u", "nobody", "true"], capture_output=True, check=False).returncode:
        pytest.skip("sudo to another user asks for a password here")
    yield "sudo -n -u nobody"


@contextlib.contextmanager
def netns(directory: Path) -> Iterator[str]:
    """In a network namespace that has a name."""
    name = f"sockexplorer-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode:
        pytest.skip("no right to make a named network namespace")
    try:
        yield f"ip netns exec {name}"
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)


@contextlib.contextmanager
def private(directory: Path) -> Iterator[str]:
    """As root of a user namespace, with a network of its own."""
    unshare()
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no user namespaces here")
    yield "unshare -rn"


@contextlib.contextmanager
def ssh(directory: Path) -> Iterator[str]:
    """Through a real sshd on the loopback, with keys of its own."""
    if not Path(SSHD).exists() or shutil.which("ssh") is None:
        pytest.skip("ssh or sshd is not installed")
    for key in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / key)], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (directory / "config").write_text(SSHD_CONFIG.format(port=port, directory=directory))
    (directory / "known").write_text(f"[127.0.0.1]:{port} {(directory / 'host.pub').read_text()}")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd(8) wants it for its unprivileged half
    with (directory / "log").open("w+") as log:
        daemon = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", str(directory / "config")], stdin=subprocess.DEVNULL, stderr=log
        )
        try:
            wait(lambda: daemon.poll() is not None or _answers(port), "sshd")
            assert daemon.returncode is None, (directory / "log").read_text()
            options = {
                "BatchMode": "yes", "IdentitiesOnly": "yes", "UserKnownHostsFile": str(directory / "known"),
                "ConnectTimeout": "20",
            }  # fmt: skip
            words = ["ssh", "-F", "none", "-i", str(directory / "user"), "-p", str(port)]
            words += [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
            user = pwd.getpwuid(os.geteuid()).pw_name
            yield shlex.join([*words, f"{user}@127.0.0.1", sys.executable])
        finally:
            daemon.terminate()
            daemon.wait(PATIENCE)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@contextlib.contextmanager
def lab(directory: Path) -> Iterator[str]:
    """In another kernel."""
    launcher = Path(__file__).parent / "kernel" / "lab.py"
    sys.path.insert(0, str(launcher.parent))
    try:
        import build
    finally:
        sys.path.remove(str(launcher.parent))
    if not (build.cache() / f"linux-{build.stamp()}").exists() and not os.environ.get(build.READY):
        pytest.skip("the lab's kernel is not built: python tests/kernel/lab.py build")
    yield shlex.join([sys.executable, str(launcher), "run", "--stdin", "--", sys.executable])


PLACES = {"sudo": sudo, "netns": netns, "unshare": private, "ssh": ssh, "lab": lab}
