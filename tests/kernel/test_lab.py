"""The lab: a command in a kernel of its own, with its output, its status, and nothing left behind."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support import gone, unshare, wait

sys.path.insert(0, str(Path(__file__).parent))

from guest import LAB, PATIENCE, lab

FAMILIES = """
import socket, sys
for family, kind, proto in (
    (1, 1, 0), (2, 2, 136), (2, 1, 262), (10, 1, 262), (2, 1, 132), (2, 6, 33), (16, 3, 16), (17, 3, 0), (21, 5, 0),
    (29, 3, 1), (29, 2, 2), (29, 2, 6), (29, 2, 7), (30, 4, 0), (31, 5, 0), (31, 1, 3), (31, 3, 1), (31, 5, 2),
    (38, 5, 0), (40, 1, 0), (40, 5, 0), (42, 2, 0),
):
    socket.socket(family, kind, proto).close()
print("all of them")
"""


pytestmark = pytest.mark.optional_on_this_host(reason="the kernel has to be built first")


def test_output_and_status_are_the_commands() -> None:
    done = lab("run", "--", "sh", "-c", "echo 'to  stdout'; printf 'to stderr' >&2; exit 7")
    assert (done.stdout, done.stderr, done.returncode) == ("to  stdout\n", "to stderr", 7)


@pytest.mark.parametrize(("late", "closed"), [(1, 2), (2, 1)])
def test_what_the_command_left_running_has_its_say(late: int, closed: int) -> None:
    """One pipe that is closed already must not cut off what still comes through the other."""
    done = lab("run", "--", "sh", "-c", f"(sleep 0.4; echo late >&{late}) {closed}>/dev/null & exit 7")
    assert (done.stdout, done.stderr, done.returncode) == (*(("late\n", "") if late == 1 else ("", "late\n")), 7)


def test_a_host_that_reads_late_loses_nothing(tmp_path: Path) -> None:
    """The command has ended, and what it said is still in pipes of the guest's, for more than a second."""
    words = f"head -c 200000 /dev/zero; head -c 200000 /dev/zero >&2; touch {tmp_path}/over; exit 7"
    command = [sys.executable, LAB, "run", "--writable", tmp_path, "--", "sh", "-c", words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        wait((tmp_path / "over").exists, "the command's end", PATIENCE)
        time.sleep(3)
        out, err = run.communicate(timeout=PATIENCE)
    assert (len(out), len(err), run.returncode) == (200_000, 200_000, 7)


def test_output_that_can_not_be_written_is_no_success() -> None:
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, LAB, "run", "--", "sh", "-c", "head -c 300000 /dev/zero; echo at the end >&2"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stderr) == (74, "at the end\nlab: output was lost: No space left on device\n")


def test_what_never_ends_holds_up_nobody() -> None:
    done = lab("run", "--", "sh", "-c", "yes & sleep 1000 & exit 7")
    assert done.returncode == 7
    assert set(done.stdout.split()) == {"y"}


def test_the_kernel_has_every_family() -> None:
    done = lab("run", "--", sys.executable, "-c", FAMILIES)
    assert (done.stdout, done.returncode) == ("all of them\n", 0), done.stderr


def test_a_module_goes_and_any_users_socket_brings_it_back() -> None:
    """The kernel asks modprobe by itself, whoever opens the socket; Debian's rds has no alias to be found by."""
    opens = f"{sys.executable} -c 'import socket; socket.socket(42, 2, 0)'"
    words = f"rmmod qrtr_tun qrtr rds_tcp rds; setpriv --reuid 65534 --clear-groups {opens}; cat /proc/modules"
    loaded = [line.split()[0] for line in lab("run", "--", "sh", "-c", words).stdout.splitlines()]
    assert "qrtr" in loaded
    assert "tipc" in loaded
    assert "rds" not in loaded


def test_the_guest_is_root_and_alone() -> None:
    done = lab("run", "--", "sh", "-c", "id -u; hostname; ip -o link | wc -l; echo $SOCKEXPLORER_LAB")
    user, host, interfaces, here = done.stdout.split()
    assert (user, host, here) == ("0", "sockexplorer-lab", "1")
    assert int(interfaces) < 10, "lo, vcan0 and the kernel's own tunnels; none of the host's"


def test_only_what_is_named_can_be_changed(tmp_path: Path) -> None:
    kept, dropped = tmp_path / "kept", tmp_path / "dropped"
    kept.mkdir()
    dropped.mkdir()
    words = f"echo a > {kept}/file; echo b > {dropped}/file; cat {dropped}/file"
    done = lab("run", "--read-only", "--writable", str(kept), "--", "sh", "-c", words)
    assert done.stdout == "b\n"
    assert (kept / "file").read_text() == "a\n"
    assert not (dropped / "file").exists()


def test_the_environment_goes_along(tmp_path: Path) -> None:
    done = lab("run", "--env", "PYTHONHASHSEED=it's 5", "--", "sh", "-c", "echo $PYTHONHASHSEED; pwd", cwd=tmp_path)
    assert done.stdout == f"it's 5\n{tmp_path}\n"


def test_stdin_goes_along_byte_for_byte_and_ends() -> None:
    data = bytes(range(256)) * 5_001 + b"the end"
    done = subprocess.run(
        [sys.executable, LAB, "run", "--stdin", "--", "sha256sum"], input=data, capture_output=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.stdout.split()[:1] == [hashlib.sha256(data).hexdigest().encode()], done.stderr
    assert lab("run", "--", "cat", input="not asked for").stdout == ""


def test_the_checkouts_own_programs_are_found() -> None:
    done = lab("run", "--", "sockexplorer", "--version")
    assert (done.returncode, done.stdout.startswith("sockexplorer ")) == (0, True), done.stderr


def test_what_takes_too_long_is_stopped() -> None:
    done = lab("run", "--timeout", "1", "--", "sleep", "60")
    assert done.returncode == 124
    assert "stopped after 1 s" in done.stderr


def test_ending_the_launcher_ends_the_kernel() -> None:
    with subprocess.Popen(
        [sys.executable, LAB, "run", "--", "sh", "-c", "echo up; sleep 60"], stdout=subprocess.PIPE
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"up\n"
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        run.terminate()
        assert run.wait(PATIENCE) == 128 + 15
    assert children
    assert all(gone(int(child)) for child in children)


def test_no_kernel_outlives_a_launcher_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, LAB, "run", "--", "sh", "-c", "echo up; sleep 600"]
    # What the launcher can't clear away then is left where the test's other files are.
    own = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=own) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"up\n"
        (kernel,) = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        run.kill()
    wait(lambda: gone(int(kernel)), "the kernel's end")


def test_two_kernels_do_not_share_a_processor() -> None:
    """In a network of the test's own, where no other launcher has a claim."""
    both = "with boot._processor() as first, boot._processor() as second: print(first, second)"
    code = f"import sys; sys.path.insert(0, {str(LAB.parent)!r}); import boot\n{both}"
    done = subprocess.run([*unshare(), sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(set(done.stdout.split())) == min(2, len(os.sched_getaffinity(0)))


def test_wrong_usage() -> None:
    assert lab("run").returncode == 2
    assert lab("run", "--writable", "/", "--", "true").returncode != 0
