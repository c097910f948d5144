"""Which run of the host's kernel this is: it changes when the host is started anew."""

import re
from pathlib import Path

_BOOT_ID = re.compile(r"[0-9a-f-]{8,64}")


def boot_id(root: Path) -> str:
    """Give the kernel's random id of this boot; empty where it cannot be read.

    Args:
        root: prefix of /proc, as `Session.root` has it.
    """
    try:
        text = (root / "proc/sys/kernel/random/boot_id").read_text("ascii").strip().lower()
    except (OSError, ValueError):
        return ""
    return text if _BOOT_ID.fullmatch(text) else ""
