"""The one masking door: secrets become `***` before a screen, a file, a log or JSON sees them.

What counts as a secret is data (assets/masking.toml). Three ways lead in, because the same secret
looks different in each: an environment pair, a list of arguments, and free text (logs, URLs,
FORGE_ARGS, JSON). All are idempotent and linear in the length of what they get.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

import msgspec

from console.packaged import read_table

MASK = "***"

_ROUNDS = 8

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_REFERENCE = re.compile(r"\$\{\w{1,64}\}")
_MASKED = re.compile(r"(?:\w{1,12} )?\*\*\*")
_PEM = re.compile(
    r"(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)[\s\S]*?"
    r"(-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)"
)
# What stands before @ in a URL; a password may hold @, and even / where it follows a colon.
_USERINFO = re.compile(
    r"\b([a-z][a-z0-9+.-]{1,20}://)"
    r"([^\s/?#\"'<>]{1,512}@"
    r"|[^\s/?#@:\"'<>]{0,128}:(?!\d{1,5}(?:[/?#\s\"']|$))[^\s\"'<>@]{1,512}@)",
    re.IGNORECASE,
)
_AUTHORIZATION = re.compile(
    r"\b((?:proxy-)?authorization\\?[\"']?\s{0,3}[:=]\s{0,3}\\?[\"']?)"
    r"(?:((?:bearer|basic|token|apikey)\s{1,3})([^\s\"'\\]{1,8192})|([^\"'\r\n\\]{1,8192}))",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b((?:bearer|basic)\s{1,3})([\w.~+/=-]{8,8192})", re.IGNORECASE)
_TELLING = re.compile(r"[\d=]|[a-z][A-Z]")
# A quote that is never closed hides the rest of its line.
_VALUE = re.compile(
    r"\"(?:[^\"\\\n]|\\.)*+\"|'[^'\n]*+'|\\\"[^\"\\\n]*+\\\"|\\?[\"'][^\n]*+"
    r"|(?:[^\s\"'\\;]|\\(?![\"']))++"
)
_FLAG = re.compile(r"(?<![\w-])(--?[A-Za-z][\w.-]{0,63})(\s{1,4}|=|\\?[\"']\s{0,3},\s{0,3})")
_ASSIGNMENT = re.compile(
    r"(?<![\w.$-])((?:(?:api|access|secret|private|auth) )?[A-Za-z_][\w.-]{0,63})"
    r"(?:\\?[\"'])?\s{0,2}([=:])\s{0,2}",
    re.IGNORECASE,
)
_USER_FLAG = re.compile(
    r"(?<!\S)(-u|--user|--proxy-user)([\s=]['\"]?)([^\s:'\"/]{1,128}):([^\s'\"]+)"
)
_LOGIN = re.compile(r"\b(login|sshpass)\b([^\n]{0,200}?\s-p\s?)([^\s-][^\s]*)")
_QUERY_VALUE = re.compile(r"[^\s&#\"'<>]+")
_QUERY = frozenset("?&")
_QUOTES = frozenset("\"'")
_TRAILING = ",)]}"
_COUNT = re.compile(r"\d{1,3}[,.;)]?")


_Judge = Callable[[re.Match[str], str, bool], bool]


class _Rules(msgspec.Struct, frozen=True):
    """The data of assets/masking.toml, ready to look things up in."""

    strong: frozenset[str]
    weak: frozenset[str]
    endings: tuple[str, ...]
    harmless_last: frozenset[str]
    switch_first: frozenset[str]
    harmless: frozenset[str]
    user_flags: frozenset[str]
    login_commands: frozenset[str]
    always_shown: frozenset[str]
    switches: frozenset[str]
    prose: frozenset[str]
    hints: tuple[str, ...]
    headers: tuple[str, ...]
    shapes: tuple[str, ...]


@cache
def _rules() -> _Rules:
    """Read the rules once; at first use, because looking at the host need not mask anything."""
    data = read_table("masking.toml")
    return msgspec.convert({k: v for part in data.values() for k, v in part.items()}, _Rules)


@cache
def _shapes() -> re.Pattern[str]:
    return re.compile(r"(?<![A-Za-z0-9])(?:" + "|".join(_rules().shapes) + r")(?![A-Za-z0-9])")


@cache
def _headers() -> re.Pattern[str]:
    names = "|".join(_rules().headers)
    return re.compile(
        rf"\b((?:{names})\\?[\"']?\s{{0,3}}:\s{{0,3}}\\?[\"']?)([^\"'\r\n\\]+)", re.IGNORECASE
    )


@lru_cache(4096)
def grade_name(name: str) -> str:
    """Tell whether a variable's, flag's or key's name means a secret: `strong`, `weak` or empty.

    A weak name (KEY, AUTH) often holds a switch or a count instead, which then is shown.
    """
    rules = _rules()
    words = [word.lower() for word in _WORD.findall(name[:200])]
    whole = re.sub(r"[.-]", "_", name.strip("-").lower())
    if not words or whole in rules.harmless or words[-1] in rules.harmless_last:
        return ""
    if any(word in rules.strong or word.endswith(rules.endings) for word in words):
        return "strong"
    return "weak" if any(word in rules.weak for word in words) else ""


def mask_value(name: str, value: str) -> str:
    """Give a value as it may be shown under its name; empty values and `${NAME}` stay."""
    grade = grade_name(name)
    if not grade:
        return mask_text(value)
    return value if not value or _harmless_value(name, grade, value) else MASK


def mask_environment(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Give environment variables or labels with the secrets among them masked, in their order."""
    return tuple((name, mask_value(name, value)) for name, value in pairs)


def mask_arguments(argv: Sequence[str]) -> tuple[str, ...]:
    """Give an argument list with its secrets masked: `--api-auth u:p`, `-e TOKEN=x`, URLs."""
    rules = _rules()
    masked: list[str] = []
    before = ""
    login = False
    for argument in argv:
        masked.append(_mask_argument(argument, before, login))
        before = argument
        login = login or argument in rules.login_commands
    return tuple(masked)


def mask_data(value: Any, name: str = "") -> Any:
    """Give JSON-like data (mappings, lists, text) with every secret in it masked."""
    if isinstance(value, str):
        return mask_value(name, value)
    if isinstance(value, Mapping):
        return {key: mask_data(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [mask_data(item, name) for item in value]
    return value


def mask_text(text: str) -> str:
    """Give free text (a log line, JSON, a command line, an URL) with the secrets in it masked."""
    # A mask can bring two pieces together that now read as a name and its value: so go on until
    # nothing changes, which is the second time round for nearly every text.
    for _ in range(_ROUNDS):
        masked = _mask_once(text)
        if masked == text:
            break
        text = masked
    return text


def _mask_once(text: str) -> str:
    lowered = text.lower()
    if not any(hint in lowered for hint in _rules().hints):
        return text
    text = _PEM.sub(rf"\1{MASK}\2", text)
    text = _USERINFO.sub(_mask_userinfo, text)
    text = _AUTHORIZATION.sub(_mask_authorization, text)
    text = _headers().sub(rf"\1{MASK}", text)
    text = _BEARER.sub(_mask_bearer, text)
    text = _USER_FLAG.sub(_mask_user, text)
    text = _LOGIN.sub(rf"\1\2{MASK}", text)
    text = _mask_named(text, _FLAG, _hides_after_flag)
    text = _mask_named(text, _ASSIGNMENT, _hides_after_name)
    return _shapes().sub(MASK, text)


def _harmless_value(name: str, grade: str, value: str) -> bool:
    """Tell whether a value under a secret's name is a switch, a count or a mere reference."""
    rules, lowered = _rules(), value.lower()
    if lowered in rules.always_shown or _REFERENCE.fullmatch(value) or _MASKED.fullmatch(value):
        return True
    counted = name.lower().endswith(("tokens", "keys")) and value.isdecimal()
    return grade == "weak" and (lowered in rules.switches or counted)


def _mask_argument(argument: str, before: str, login: bool) -> str:
    """Mask one argument, knowing the one before it and whether a login is under way."""
    rules = _rules()
    name, equals, value = argument.partition("=")
    if before == "-p" and login:
        return MASK
    if before in rules.user_flags:
        user, colon, password = argument.partition(":")
        if colon and not password.isdecimal():
            return f"{user}:{MASK}"
    flag = _flag_grade(before) if before.startswith("-") and "=" not in before else ""
    if flag and not _is_flag(argument):
        return argument if _harmless_value(before, flag, argument) else MASK
    if equals and name.startswith("-e") and name[2:3].isupper():
        return f"{name}={mask_value(name[2:], value)}"
    if equals and re.fullmatch(r"-{0,2}[A-Za-z_][\w.-]*", name):
        return f"{name}={mask_value(name, value)}"
    return mask_text(argument)


def _is_flag(argument: str) -> bool:
    """Tell a flag from a value: a secret may well begin with one dash."""
    return argument.startswith("--") or re.fullmatch(r"-[A-Za-z]", argument) is not None


def _flag_grade(flag: str) -> str:
    """Grade a flag by its name; a switch such as `--no-auth` takes no value at all."""
    first = flag.lstrip("-").partition("-")[0].lower()
    return "" if first in _rules().switch_first else grade_name(flag)


def _mask_userinfo(match: re.Match[str]) -> str:
    scheme, userinfo = match[1], match[2]
    # ssh://git@host names an account; https://TOKEN@host is a secret.
    if ":" not in userinfo and not scheme.lower().startswith("http"):
        return match[0]
    return f"{scheme}{MASK}@"


def _mask_authorization(match: re.Match[str]) -> str:
    if match[2]:
        return f"{match[1]}{match[2]}{MASK}"
    first = match[4].split()
    if not first or first[0].lower().strip(".,;") in _rules().prose:
        return match[0]
    return f"{match[1]}{MASK}"


def _mask_bearer(match: re.Match[str]) -> str:
    return f"{match[1]}{MASK}" if _TELLING.search(match[2]) else match[0]


def _mask_user(match: re.Match[str]) -> str:
    password = match[4]
    return match[0] if password.isdecimal() else f"{match[1]}{match[2]}{match[3]}:{MASK}"


def _mask_named(text: str, pattern: re.Pattern[str], hides: _Judge) -> str:
    """Mask the value that follows each name that `hides` says is a secret's."""
    parts: list[str] = []
    position = 0
    for match in pattern.finditer(text):
        if match.start() < position:
            continue
        in_query = text[match.start() - 1 : match.start()] in _QUERY and match.start() > 0
        value = (_QUERY_VALUE if in_query else _VALUE).match(text, match.end())
        if value is None or not hides(match, value[0], in_query):
            continue
        parts += [text[position : match.end()], _cover(value[0])]
        position = value.end()
    return "".join([*parts, text[position:]]) if parts else text


def _hides_after_flag(match: re.Match[str], value: str, _in_query: bool) -> bool:
    """Tell whether a flag's value in a command line is a secret."""
    grade = _flag_grade(match[1])
    if not grade or (_is_flag(value) and not match[2].startswith("=")):
        return False
    inner = _inner(value)
    prose = match[2].isspace() and inner.lower() in _rules().prose
    return bool(inner) and not prose and not _harmless_value(match[1], grade, inner)


def _hides_after_name(match: re.Match[str], value: str, in_query: bool) -> bool:
    """Tell whether what follows `name=` or `name:` is a secret, and not prose or structure."""
    name, inner = match[1], _inner(value)
    grade = grade_name(name)
    if not grade or not inner or _harmless_value(name, grade, inner):
        return False
    if name in {"key", "keys"} and not in_query:
        return False
    if value[0] in _QUOTES:
        return True
    if (
        value[0] in "{[(<"
        or value.startswith("//")
        or inner.lower().strip(".!?:") in _rules().prose
    ):
        return False
    return grade == "strong" or _COUNT.fullmatch(value) is None


def _inner(value: str) -> str:
    """Give a value without its quotes, or without the punctuation that follows it."""
    bare = value.removeprefix("\\")
    if bare[:1] in _QUOTES:
        return bare.strip("\\").strip(bare[0]).strip("\\")
    return value if _REFERENCE.fullmatch(value) else value.rstrip(_TRAILING)


def _cover(value: str) -> str:
    """Give the mask in the quotes of the value, and with the punctuation that follows it."""
    opening = value[: len(value) - len(value.lstrip("\\"))] + value.lstrip("\\")[:1]
    if opening[-1:] in _QUOTES:
        closed = len(value) > len(opening) and value.endswith(opening)
        return opening + MASK + (opening if closed else "")
    return MASK + value[len(value.rstrip(_TRAILING)) :]
