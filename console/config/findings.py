"""What is wrong in a config, told so that a person finds it."""

import msgspec


class ConfigFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong in the config.

    Attributes:
        code: `config.unknown-key`, `config.wrong-value`, `config.syntax`, `config.unreadable`, ...
        key: dotted path of the key, cleaned; empty where it is the whole file.
        title: what is wrong, with the key.
        hint: how to put it right; may be empty.
        line: from 1; None where the file could not be read at all.
        column: from 1; only of syntax errors.
    """

    code: str
    key: str
    title: str
    hint: str = ""
    line: int | None = None
    column: int | None = None

    @property
    def where(self) -> str:
        """Give `line 3: ` to stand before the title, or nothing."""
        return f"line {self.line}: " if self.line else ""
