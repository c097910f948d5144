"""Heads of HTTP/1.1 messages as they pass through the proxy."""

import asyncio
from typing import NamedTuple

_MOST = 32 << 10


class Head(NamedTuple):
    """The first line of a message, and its fields in their order."""

    first: str
    fields: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """Give a field's value; empty where there is none."""
        return next((value for key, value in self.fields if key.lower() == name), "")

    def with_field(self, name: str, value: str) -> "Head":
        """Give the head with a field in place of all of that name; an empty value drops them."""
        kept = tuple(pair for pair in self.fields if pair[0].lower() != name.lower())
        return Head(self.first, (*kept, (name, value)) if value else kept)

    @property
    def path(self) -> str:
        """The path that is asked for, with its query."""
        return f"{self.first} ".split(" ")[1]

    @property
    def length(self) -> int:
        """The length of the body that is announced; 0 where none is."""
        value = self.get("content-length")
        return int(value) if value.isdecimal() else 0

    @property
    def upgrade(self) -> bool:
        """Whether it asks for, or answers with, another protocol."""
        return self.get("upgrade").lower() == "websocket"

    def packed(self) -> bytes:
        """Give the head as it is sent."""
        lines = [self.first, *(f"{name}: {value}" for name, value in self.fields), "", ""]
        return "\r\n".join(lines).encode("latin-1", "replace")


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """Read a head; None where the other end hung up, or sent none."""
    try:
        data = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        return None
    if len(data) > _MOST:
        return None
    first, *lines = data.decode("latin-1").rstrip("\r\n").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return Head(first, tuple((name.strip(), value.strip()) for name, _, value in pairs))


def reply(status: str, body: str = "", *fields: tuple[str, str], media: str = "text/html") -> bytes:
    """Give a whole answer of the proxy's own, after which it hangs up."""
    content = body.encode()
    head = Head(
        f"HTTP/1.1 {status}",
        (
            ("Server", "Microsoft-IIS/10.0"),
            ("Content-Type", media),
            ("Content-Length", str(len(content))),
            ("Connection", "close"),
            *fields,
        ),
    )
    return head.packed() + content
