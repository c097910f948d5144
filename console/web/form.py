"""A form with a file in it, as browsers send one; the boundary cannot occur in the file."""

import secrets

import msgspec

_BREAKS = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """One file under the name `field`, with plain fields beside it."""

    field: str
    name: str
    content: bytes
    media: str = "application/octet-stream"
    fields: tuple[tuple[str, str], ...] = ()

    def packed(self) -> tuple[str, bytes]:
        """Give the value of Content-Type and the body."""
        boundary = f"gpuconsole-{secrets.token_hex(16)}"
        parts = []
        for name, value in self.fields:
            head = f'Content-Disposition: form-data; name="{name.translate(_BREAKS)}"'
            parts.append(f"--{boundary}\r\n{head}\r\n\r\n{value}\r\n".encode())
        head = (
            f'Content-Disposition: form-data; name="{self.field.translate(_BREAKS)}"; '
            f'filename="{self.name.translate(_BREAKS)}"\r\nContent-Type: {self.media}'
        )
        parts.append(f"--{boundary}\r\n{head}\r\n\r\n".encode())
        parts += [self.content, f"\r\n--{boundary}--\r\n".encode()]
        return f"multipart/form-data; boundary={boundary}", b"".join(parts)
