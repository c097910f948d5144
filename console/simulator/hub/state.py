"""Everything the rehearsed hub knows: repositories, tokens, faults, signatures, counts."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, urlencode

from console.simulator.hub.counts import Counts
from console.simulator.hub.faults import Fault, FaultBook
from console.simulator.hub.repos import Commit, File, Repo
from console.simulator.hub.throttle import Throttle

_VALID_SECONDS = 3600.0


class HubState:
    """What both origins look at.

    Attributes:
        tokens: valid ones, with the gated and private repositories each may read.
        hub_url, cdn_url: where they are met.
        throttle: of all bodies together.
        page: how many entries a page of a listing has.
        controlled: answer `/api/rehearsal/…` to whoever asks, too.
        xet: name the xet storage in the headers, as huggingface.co does for what lies there.
    """

    def __init__(self, repos: Iterable[Repo], rate: float | None = None) -> None:
        self.repos: dict[str, Repo] = {}
        self.moved: dict[str, str] = {}
        for repo in repos:
            self.add(repo)
        self.tokens: dict[str, frozenset[str]] = {}
        self.faults = FaultBook()
        self.counts = Counts()
        self.throttle = Throttle(rate)
        self.hub_url = ""
        self.cdn_url = ""
        self.page = 100
        self.xet = False
        self.controlled = False
        self.on_fault: Callable[[Fault], None] = _nothing
        self._key = secrets.token_bytes(16)
        self._epoch = 0

    def add(self, repo: Repo) -> None:
        """Have one more repository."""
        self.repos[repo.name] = repo
        self.moved.update(dict.fromkeys(repo.moved_from, repo.name))

    def signed(self, repo: Repo, commit: Commit, file: File) -> str:
        """Give the address of a large file at the other origin, valid for a while."""
        brief = self.faults.see("brief", f"{repo.name}/{file.path}")
        seconds = _VALID_SECONDS if brief is None else brief.seconds or 0.0
        path = f"/{repo.name}/{commit.id}/{file.path}"
        expires = f"{time.time() + seconds:.3f}"
        name = file.path.rpartition("/")[2]
        plain = name.encode("ascii", "replace").decode()  # what a header can carry
        facts = {
            "response-content-disposition": f"inline; filename*=UTF-8''{quote(name)}; "
            f'filename="{plain}";',
            "Expires": expires,
            "Signature": self._signature(path, expires),
            "Key-Pair-Id": "REHEARSAL",
        }
        return f"{self.cdn_url}{quote(path)}?{urlencode(facts)}"

    def accepts(self, path: str, query: dict[str, str]) -> bool:
        """Tell whether a signed address is still good."""
        expires = query.get("Expires", "0")
        told = query.get("Signature", "").encode()
        good = hmac.compare_digest(told, self._signature(path, expires).encode())
        return good and float(expires) > time.time()

    def _signature(self, path: str, expires: str) -> str:
        text = f"{self._epoch}\n{expires}\n{path}".encode()
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()[:40]

    def fault(self, kind: str, **facts: Any) -> Fault:
        """Let something go wrong from now on.

        Raises:
            ValueError: nobody knows how; or `changed` without a file.
        """
        fault = self.faults.add(kind, **facts)
        if kind == "expired":
            self._epoch += 1
            self.faults.heal(kind)
        if kind == "changed" and not fault.after:
            self.faults.heal(kind)
            for file in self.files_at(fault.path):
                self.change(file, forget=fault.forget)
        self.on_fault(fault)
        return fault

    def files_at(self, path: str) -> list[str]:
        """Give the files (`ORG/NAME/PATH`) on main that a path names; empty names all."""
        probe = Fault(kind="changed", path=path)
        names = (
            f"{repo.name}/{name}"
            for repo in self.repos.values()
            for name in repo.commits[repo.branches["main"]].files
        )
        return [name for name in names if probe.concerns("changed", name, "")]

    def sent(self, file: str, count: int) -> None:
        """Count bytes that went out; a new version comes once enough of a file was sent."""
        in_all = self.counts.sent(file, count)
        fault = self.faults.see("changed", file)
        if fault is None or in_all < fault.after:
            return
        self.faults.heal("changed")
        self.change(file, forget=fault.forget)

    def change(self, file: str, *, forget: bool = False) -> Commit:
        """Commit another version of a file (`ORG/NAME/PATH`)."""
        org, name, path = file.split("/", 2)
        return self.repos[f"{org}/{name}"].change(path, forget=forget)


def _nothing(_: Fault) -> None:
    """Stand in until the servers want to know."""
