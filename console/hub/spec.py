"""How a file on the hub is named by people, and what of its name may go on a disk.

A name comes from somebody who typed or pasted it, or from a repository's owner, who may have put
anything there: whatever could lead out of a folder, hide itself or pass for another file is
refused here, before anybody asks a hub or makes a file.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote, urlsplit

from console.errors import UsageError
from console.hub.facts import HubSpec
from console.mask import mask_text
from console.text import clean, clean_line

HUB = "https://huggingface.co"
LONGEST_PART = 255
LONGEST_NAME = 220
"""Bytes of a name on disk: the part file beside it has some more, and 255 is the most there is."""

_HUB_HOSTS = frozenset({"huggingface.co", "www.huggingface.co", "hf.co"})
_FORM = "write it as hf:ORG/REPO/PATH@REVISION, or paste the address of the file's page"
_LONGEST = 2_000
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?", re.ASCII)
_OTHER_TYPES = frozenset({"datasets", "spaces", "kernels", "buckets", "collections", "api"})
_REVISION = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\@{}]+")
_REFS = re.compile(r"refs/(?:convert/[\w.-]+|pr/\d+)")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
OUR_OWN = ".gpuconsole-"
"""What is in the names of part files, and of what is put aside."""


def endpoint_of(environ: Mapping[str, str]) -> str:
    """Give the address of the hub that HF_ENDPOINT names, else huggingface.co's."""
    return (environ.get("HF_ENDPOINT", "").strip() or HUB).rstrip("/")


def parse_spec(text: str, endpoint: str = HUB) -> HubSpec:
    """Give the file that `hf:ORG/REPO/PATH@REVISION` names; without a revision, that of `main`.

    Also taken: `hf://ORG/REPO@REVISION/PATH`, as the hub's own tools write it, and a pasted address
    of the file's page or of its download. `%40` stands for an @ in a path.

    Args:
        text: as somebody typed it.
        endpoint: the hub's address; pages of it, and of huggingface.co, are taken.

    Raises:
        UsageError: `hub.name-wrong`, with what is wrong about it.
    """
    written = text.strip()
    if len(written) > _LONGEST:
        raise _wrong(written, f"it has more than {_LONGEST} characters")
    if written.startswith(("https://", "http://")):
        spec = _of_page(written, endpoint)
    elif written.startswith("hf:"):
        spec = _of_short_form(written)
    else:
        raise _wrong(written, "it does not begin with hf:")
    check_repo(spec.repo, written)
    check_revision(spec.revision, written)
    check_path(spec.path, written)
    return spec


def spec_text(spec: HubSpec) -> str:
    """Give a file's name so that `parse_spec` reads the same from it; without the revision main."""
    path = spec.path.replace("%", "%25").replace("@", "%40")
    revision = "" if spec.revision == "main" else f"@{spec.revision.replace('%', '%25')}"
    return f"hf:{spec.repo}/{path}{revision}"


def safe_name(path: str) -> str:
    """Give the last part of a path in a repository, as a name for a file on this disk.

    Raises:
        UsageError: `hub.name-wrong`: the path is one of those that `check_path` refuses, or its
            name is too long for a part file beside it, or is one that this program uses itself.
    """
    check_path(path)
    name = path.rpartition("/")[2]
    if len(name.encode()) > LONGEST_NAME:
        raise _wrong(path, f"its name has more than {LONGEST_NAME} bytes")
    if OUR_OWN in name:
        raise _wrong(path, f"names with {OUR_OWN} are those of unfinished downloads")
    return name


def page_of(spec: HubSpec, endpoint: str = HUB) -> str:
    """Give the address of a repository's page, where terms are accepted."""
    return f"{endpoint}/{quote(spec.repo, safe='/')}"


def check_repo(repo: str, written: str = "") -> None:
    """Raise UsageError where `repo` cannot be a repository's name, which is `ORG/NAME`."""
    parts = repo.split("/")
    fine = len(parts) == 2 and all(_NAME.fullmatch(part) for part in parts)
    if not fine or "--" in repo or ".." in repo or repo.endswith(".git"):
        raise _wrong(
            written or repo, f"{clean_line(mask_text(repo), 80) or 'nothing'} is no ORG/REPO"
        )
    if parts[0] in _OTHER_TYPES:
        raise _wrong(written or repo, f"{parts[0]}/ are no models")


def check_revision(revision: str, written: str = "") -> None:
    """Raise UsageError where `revision` cannot be a branch, tag or commit, by git's own rules."""
    fine = (
        _REVISION.fullmatch(revision) is not None
        and len(revision) <= LONGEST_PART
        and clean(revision) == revision
        and not revision.startswith(("-", "/", "."))
        and not revision.endswith(("/", ".", ".lock"))
        and not any(odd in revision for odd in ("..", "//", "/."))
    )
    if not fine:
        raise _wrong(written or revision, f"{_shown(revision)} is no branch, tag or commit")


def check_path(path: str, written: str = "") -> None:
    r"""Raise UsageError where `path` cannot be trusted as the path of a file in a repository.

    Refused: an empty path or part, `.` and `..`, a leading `/`, a backslash, characters that are
    invisible or steer a terminal, parts of more than 255 bytes, parts that Windows takes for a
    device or cannot keep (it may be a Windows disk that WSL writes to).
    """
    if not path:
        raise _wrong(written or path, "the path of a file is missing")
    for part in path.split("/"):
        reason = _bad_part(part)
        if reason:
            raise _wrong(written or path, reason)


def _bad_part(part: str) -> str:
    """Say what is wrong with one part of a path; empty where nothing is."""
    if not part:
        return "its path has an empty part"
    if part in {".", ".."}:
        return f"its path has {part} in it"
    if "\\" in part:
        return "its path has a backslash"
    if clean(part) != part or "\n" in part or "\t" in part:
        return "its path has characters that cannot be seen"
    if len(part.encode()) > LONGEST_PART:
        return f"a part of its path has more than {LONGEST_PART} bytes"
    if part != part.strip() or part.endswith("."):
        return f"{_shown(part)} begins or ends with a blank, or ends with a dot"
    if _DEVICE.fullmatch(part):
        return f"{_shown(part)} is the name of a device on Windows"
    return ""


def _of_short_form(written: str) -> HubSpec:
    """Take `hf:ORG/REPO/PATH@REVISION` or `hf://ORG/REPO@REVISION/PATH` apart."""
    body = written.removeprefix("hf:").removeprefix("//").removeprefix("models/")
    org, _, rest = body.partition("/")
    name, _, path = rest.partition("/")
    if "@" in name:
        return _with_revision_ahead(org, rest)
    path, at, revision = path.rpartition("@") if "@" in path else (path, "", "main")
    if at and not revision:
        raise _wrong(written, "there is nothing after the @")
    return HubSpec(repo=f"{org}/{name}", path=unquote(path), revision=unquote(revision))


def _with_revision_ahead(org: str, rest: str) -> HubSpec:
    """Take `REPO@REVISION/PATH` apart; a revision with / is url-encoded or one of the hub's own."""
    name, _, after = rest.partition("@")
    revision, path = _leading_revision(after)
    return HubSpec(repo=f"{org}/{name}", path=unquote(path), revision=revision)


def _leading_revision(text: str) -> tuple[str, str]:
    """Part a revision from the path that follows it."""
    special = _REFS.match(text)
    if special and text[special.end() : special.end() + 1] in {"", "/"}:
        return special[0], text[special.end() + 1 :]
    revision, _, path = text.partition("/")
    return unquote(revision), path


def _of_page(written: str, endpoint: str) -> HubSpec:
    """Take the address of a file's page or download apart."""
    try:
        page, home = urlsplit(written), urlsplit(endpoint)
        host, port = (page.hostname or "").lower(), page.port
    except ValueError as error:
        raise _wrong(written, "it is no address") from error
    if page.username or page.password:
        raise _wrong(written, "an address with a login in it is not taken")
    ours = (host, port) == ((home.hostname or "").lower(), home.port)
    prefix = home.path.rstrip("/") + "/" if ours else "/"
    if not (ours or (host in _HUB_HOSTS and port in {None, 443})) or not page.path.startswith(
        prefix
    ):
        raise _wrong(written, f"it is no page of {clean_line(home.netloc.rpartition('@')[2], 80)}")
    parts = page.path[len(prefix) :].removeprefix("models/").split("/", 3)
    if parts[0] in _OTHER_TYPES:
        raise _wrong(written, f"{parts[0]}/ are no models")
    if len(parts) < 4 or parts[2] not in {"resolve", "blob", "raw"}:
        raise _wrong(written, "it is not the page of a file")
    revision, path = _leading_revision(parts[3])
    return HubSpec(repo=f"{parts[0]}/{parts[1]}", path=unquote(path), revision=revision)


def _shown(text: str) -> str:
    return clean_line(mask_text(text), 80) or "an empty name"


def _wrong(written: str, reason: str) -> UsageError:
    """Make the error of a name that names no file on the hub."""
    shown = clean_line(mask_text(_without_secrets(written)), 120)
    return UsageError("hub.name-wrong", f"`{shown}` names no file on the hub: {reason}", _FORM)


def _without_secrets(written: str) -> str:
    """Give what was typed without a login or a query, which may hold a signature."""
    text = written.partition("?")[0] if "://" in written else written
    return re.sub(r"//[^/@]*@", "//", text)
