"""The hub itself: who may see which repository, what is in it, where its files are."""

import json
import re
from typing import NamedTuple
from urllib.parse import parse_qs, quote, unquote

from console.simulator.hub.answering import Answering
from console.simulator.hub.delivery import Delivery
from console.simulator.hub.listing import found_paths, listed, model_info
from console.simulator.hub.repos import Commit, File, Repo

_RESOLVE = re.compile(r"/(?P<repo>[^/]+/[^/]+)/(?P<how>resolve|raw)/(?P<rev>[^/]+)/(?P<path>.+)")
_CACHE = re.compile(r"/api/resolve-cache/models/(?P<repo>[^/]+/[^/]+)/(?P<rev>[^/]+)/(?P<path>.+)")
_API = re.compile(r"/api/models/(?P<repo>[^/]+/[^/]+)(?P<rest>/.*)?")
_LIMITS = {
    "RateLimit": '"resolvers";r=2987;t=211',
    "RateLimit-Policy": '"fixed window";"resolvers";q=3000;w=300',
}


class _Refusal(Exception):  # noqa: N818
    """An answer that is a refusal, as the hub words it."""

    def __init__(self, status: int, code: str, message: str, commit: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.headers = {"X-Error-Message": message}
        if code:
            self.headers["X-Error-Code"] = code
        if commit:
            self.headers["X-Repo-Commit"] = commit


class _Seen(NamedTuple):
    repo: Repo
    commit: Commit


class Origin(Answering):
    """One connection to the hub."""

    where = "hub"

    def reply(self) -> None:
        """Answer."""
        route = self.route
        resolve = _RESOLVE.fullmatch(route) or _CACHE.fullmatch(route)
        api = _API.fullmatch(route)
        if resolve is not None:
            self.file = f"{resolve['repo']}/{unquote(resolve['path'])}"
        elif api is not None:
            self.file = api["repo"]
        if self.state.controlled and route.startswith("/api/rehearsal/"):
            self._control(route)
            return
        if self.misbehave():
            return
        try:
            self._reply(resolve, api)
        except _Refusal as refusal:
            self.tell_json({"error": str(refusal)}, refusal.status, refusal.headers)

    def _reply(self, resolve: "re.Match[str] | None", api: "re.Match[str] | None") -> None:
        if self.route == "/api/whoami-v2":
            self._whoami()
        elif resolve is not None and "resolve-cache" in self.route:
            self._resolved(resolve["repo"], resolve["rev"], resolve["path"], straight=True)
        elif api is not None:
            self._api(api["repo"], api["rest"] or "")
        elif resolve is not None and resolve["how"] == "raw":
            self._raw(resolve["repo"], resolve["rev"], resolve["path"])
        elif resolve is not None:
            self._resolved(resolve["repo"], resolve["rev"], resolve["path"])
        else:
            raise _Refusal(404, "", "Sorry, we can't find the page you are looking for.")

    def _token(self) -> str:
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        return token if kind == "Bearer" else ""

    def _whoami(self) -> None:
        token = self._token()
        self._check(token)
        if not token:
            raise _Refusal(401, "", "Invalid username or password.")
        auth = {"type": "access_token", "accessToken": {"displayName": "studio", "role": "read"}}
        self.tell_json({"type": "user", "name": "rehearsal", "orgs": [], "auth": auth})

    def _check(self, token: str) -> None:
        """Refuse a token that nobody gave out."""
        revoked = self.state.faults.see("revoked", "")
        if token and (revoked or token not in self.state.tokens):
            raise _Refusal(401, "", "Invalid credentials in Authorization header")

    def _repo(self, name: str, *, files: bool) -> Repo:
        """Give a repository to one who may see it; `files`: and may read its files, too."""
        faults = self.state.faults
        token = self._token()
        self._check(token)
        name = self.state.moved.get(name, name)
        repo = self.state.repos.get(name)
        may = name in self.state.tokens.get(token, ())
        hidden = repo is None or faults.see("gone", name) is not None
        private = repo is not None and (repo.private or faults.see("private", name) is not None)
        if repo is None or hidden or (private and not may):
            if token:
                raise _Refusal(404, "RepoNotFound", "Repository not found")
            raise _Refusal(401, "RepoNotFound", "Invalid username or password.")
        if files and (repo.gated or faults.see("gated", name)) and not may:
            raise self._restricted(name, logged_in=bool(token))
        return repo

    @staticmethod
    def _restricted(name: str, *, logged_in: bool) -> _Refusal:
        if not logged_in:
            words = "You must have access to it and be authenticated to access it. Please log in."
            return _Refusal(401, "GatedRepo", f"Access to model {name} is restricted. {words}")
        words = f"Visit https://huggingface.co/{name} to ask for access."
        return _Refusal(
            403,
            "GatedRepo",
            f"Access to model {name} is restricted and you are not in the authorized list. {words}",
        )

    def _seen(self, name: str, revision: str, *, files: bool) -> _Seen:
        repo = self._repo(name, files=files)
        revision = unquote(revision)
        commit = repo.find(revision)
        if commit is None:
            raise _Refusal(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return _Seen(repo, commit)

    def _file(self, seen: _Seen, path: str) -> File:
        file = seen.commit.files.get(unquote(path))
        if file is None:
            raise _Refusal(404, "EntryNotFound", "Entry not found", seen.commit.id)
        return file

    def _resolved(self, name: str, revision: str, path: str, *, straight: bool = False) -> None:
        if name in self.state.moved:
            self._go_to(f"/{self.state.moved[name]}/resolve/{revision}/{path}", 307, {})
            return
        seen = self._seen(name, revision, files=True)
        file = self._file(seen, path)
        facts = {"X-Repo-Commit": seen.commit.id, "Accept-Ranges": "bytes", **_LIMITS}
        if file.large:
            etag = f'"{file.etag}"'
            facts |= {
                "X-Linked-Size": str(file.body.size),
                "X-Linked-Etag": etag,
                "ETag": f'"{file.oid}"',
                **self._xet(seen, file),
            }
            self._go_to(self.state.signed(seen.repo, seen.commit, file), 302, facts)
        elif straight:
            facts |= {"ETag": f'"{file.etag}"', "Content-Type": "text/plain; charset=utf-8"}
            Delivery(self, file.body, self.file, facts).send()
        else:
            at = f"/api/resolve-cache/models/{seen.repo.name}/{seen.commit.id}/{quote(file.path)}"
            self._go_to(at, 307, {**facts, "ETag": f'"{file.etag}"'})

    def _xet(self, seen: _Seen, file: File) -> dict[str, str]:
        if not self.state.xet:
            return {}
        route = f"{self.state.hub_url}/api/models/{seen.repo.name}/xet-read-token/{seen.commit.id}"
        return {"X-Xet-Hash": file.etag, "X-Xet-Refresh-Route": route}

    def _go_to(self, where: str, status: int, facts: dict[str, str]) -> None:
        words = f"{'Found' if status == 302 else 'Temporary Redirect'}. Redirecting to {where}"
        self.tell(words, status, {"Location": where, **facts})

    def _raw(self, name: str, revision: str, path: str) -> None:
        seen = self._seen(name, revision, files=True)
        file = self._file(seen, path)
        body = file.pointer if file.large else file.body
        self.tell(bytes(body.piece(0, body.size)), headers={"X-Repo-Commit": seen.commit.id})

    def _control(self, route: str) -> None:
        """Answer whoever rehearses: counts, and faults to begin or to end."""
        faults, counts = self.state.faults, self.state.counts
        facts = json.loads(self.content or b"{}")
        if not isinstance(facts, dict):
            raise ValueError("an object is wanted")
        if route == "/api/rehearsal/counts":
            by_file = counts.by_file()
            total = sum(by_file.values())
            self.tell_json({"bytes": total, "files": by_file, "requests": len(counts.requests)})
        elif route == "/api/rehearsal/heal":
            faults.heal(facts.get("kind", ""))
            self.tell_json({})
        elif route == "/api/rehearsal/fault":
            try:
                self.state.fault(facts.pop("kind", ""), **facts)
            except ValueError as error:
                self.tell_json({"error": str(error)}, 400)
            else:
                self.tell_json({})
        else:
            self.tell_json({"error": "counts, fault and heal are there"}, 404)

    def _api(self, name: str, rest: str) -> None:
        parts = rest.split("/", 3)[1:]
        word = parts[0] if parts else ""
        if word == "refs":
            repo = self._repo(name, files=False)
            branches, tags = (_refs(found, of) for found, of in _ref_kinds(repo))
            told = {"branches": branches, "tags": tags, "converts": []}
            self.tell_json(told)
        elif word in ("", "revision"):
            seen = self._seen(name, parts[1] if word else "main", files=False)
            info = model_info(seen.repo, seen.commit, blobs="blobs" in self.query)
            self.tell_json(info, headers=_LIMITS)
        elif word == "tree":
            self._tree(name, parts)
        elif word == "paths-info":
            seen = self._seen(name, parts[1], files=False)
            asked = parse_qs(self.content.decode()).get("paths", [])
            self.tell_json(found_paths(seen.commit, asked), headers=_LIMITS)
        else:
            raise _Refusal(404, "", "Not Found")

    def _tree(self, name: str, parts: list[str]) -> None:
        seen = self._seen(name, parts[1] if len(parts) > 1 else "main", files=False)
        folder = unquote(parts[2]).strip("/") if len(parts) > 2 else ""
        deep = self.query.get("recursive", "").lower() in ("true", "1")
        entries = listed(seen.commit, folder, deep=deep)
        if entries is None:
            raise _Refusal(404, "EntryNotFound", f"{folder} does not exist on {parts[1]}")
        begin = int(self.query.get("cursor") or 0)
        end = begin + int(self.query.get("limit") or self.state.page)
        facts = dict(_LIMITS)
        if end < len(entries):
            more = f"{self.state.hub_url}{self.route}?recursive={str(deep).lower()}&cursor={end}"
            limit = f"&limit={self.query['limit']}" if "limit" in self.query else ""
            facts["Link"] = f'<{more}{limit}>; rel="next"'
        self.tell_json(entries[begin:end], headers=facts)


def _ref_kinds(repo: Repo) -> tuple[tuple[dict[str, str], str], tuple[dict[str, str], str]]:
    return (repo.branches, "heads"), (repo.tags, "tags")


def _refs(found: dict[str, str], kind: str) -> list[dict[str, str]]:
    return [
        {"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": commit}
        for name, commit in found.items()
    ]
