"""The commands that the documentation tells a reader to type, in the order of each page."""

import re
import shlex
import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?<=\n\n)(?: {4}.*\n|\n(?= {4}))+")
SHELLS = {"sh", "bash", "console"}
BUILT_INS = {"export", ".", "cd"}
ASSIGNMENT = re.compile(r"[A-Z_]+=\S*$")


def commands_of(page: Path) -> list[str]:
    """Return the page's commands, each as it is typed, comments left out.

    Fenced blocks of a shell's language hold commands; so does an indented block that begins with a program's name.
    """
    text = page.read_text()
    fenced = [(block.start(), block[3]) for block in FENCE.finditer(text) if block[2] in SHELLS]
    plain = INDENTED.finditer(FENCE.sub(lambda block: "." * len(block[0]), text))
    indented = [(block.start(), block[0]) for block in plain if program_of(block[0]) is not None]
    return [command for _, block in sorted(fenced + indented) for command in _joined(textwrap.dedent(block))]


def program_of(command: str) -> str | None:
    """Return the program that a command starts, None if its first word is none of this machine's or a shell's own."""
    words = iter(command.split())
    word = next((word for word in words if not ASSIGNMENT.fullmatch(word)), None)
    if word is None:
        return "export"  # assignments alone
    known = word in BUILT_INS | {"docker", "kubectl", "systemctl", "useradd", "celery", "python", "make"}
    return word if known or "/" in word or shutil.which(word) else None


def _joined(block: str) -> Iterator[str]:
    """Yield the commands of a block: a line that ends with a backslash or within quotes goes on with the next."""
    waiting = ""
    for line in block.splitlines():
        waiting = f"{waiting}\n{line}" if waiting else line
        try:
            words = shlex.split(waiting, comments=True)
        except ValueError:
            continue
        if not waiting.endswith("\\"):
            if words:
                yield _without_comment(waiting)
            waiting = ""
    assert not waiting, f"a quote is not closed: {waiting}"


def _without_comment(command: str) -> str:
    return re.sub(r"\s+# .*$", "", command)
