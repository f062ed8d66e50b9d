"""What an engine elsewhere is made of: words for its Python, and the modules that follow over the stream."""

from __future__ import annotations

import re
import zlib
from functools import cache
from pathlib import Path

from sockexplorer.engine import carried

PARTS = ("core", "families", "engine")
"""The packages that an engine needs; each uses the standard library only."""
OLDEST = (3, 11)
GREETING = re.compile(rb"(?:\A|\n)sockexplorer meets Python (\d+)\.(\d+)\.(\d+)(\r?)\n")
"""What the far end says before it listens. Whatever came ahead of it, a login's greeting, is not ours."""
# For every Python from 2.6, so that an old one can be told apart from none; without a quote, a backslash or a
# character that some shell would replace inside single quotes, but for the \n that all of them leave alone. Nothing is
# imported that has to be looked for, before the directory that the command starts in ("") is off the path.
_BOOT = (
    'import os,sys;v=sys.version_info[:3];os.write(1,("\\nsockexplorer meets Python %d.%d.%d\\n"%v).encode());'
    'v<(3,11)and sys.exit();sys.path=[p for p in sys.path if p];import zlib;d=b"";'
    'exec("while len(d)<{size}:\\n b=os.read(0,{size}-len(d))\\n d+=b or sys.exit()");exec(zlib.decompress(d))'
)


@cache
def parcel() -> bytes:
    """The modules with the text that installs them, compressed; the engine runs as soon as it has all of it."""
    package = Path(__file__).resolve().parents[1]
    files = {"sockexplorer/__init__.py": (package / "__init__.py").read_bytes()}
    for part in PARTS:
        for path in sorted((package / part).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                files[f"sockexplorer/{path.relative_to(package).as_posix()}"] = path.read_bytes()
    text = (
        f"{Path(carried.__file__).read_text('utf-8')}\ninstall({files!r})\n"
        "from sockexplorer.engine.__main__ import main\nmain()\n"
    )
    return zlib.compress(text.encode())


def arguments() -> list[str]:
    """What the Python at the far end is called with: nothing of its user's or its environment's, no file written."""
    # -I would be right, and is refused by the Pythons that ought to tell their version.
    return ["-EsB", "-c", _BOOT.replace("{size}", str(len(parcel())))]
