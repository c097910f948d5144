"""Where large files lie: another origin, which knows signed addresses and nobody's token."""

from urllib.parse import unquote

from console.simulator.hub.answering import Answering
from console.simulator.hub.delivery import Delivery
from console.simulator.hub.repos import File

_DENIED = (
    '<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code>'
    "<Message>{}</Message></Error>"
)
_PAGE = (
    "<!DOCTYPE html><html><head><title>Sign in to the network</title></head>"
    "<body><h1>Please accept the terms of this network</h1></body></html>\n"
)


class Cdn(Answering):
    """One connection to it."""

    where = "cdn"

    def reply(self) -> None:
        """Answer."""
        path = unquote(self.route)
        parts = path.split("/", 4)
        self.file = "/".join([*parts[1:3], *parts[4:]])
        if self.misbehave():
            return
        if "Authorization" in self.headers:
            words = "Only one auth mechanism allowed"
            self.tell(_DENIED.format(words), 400, kind="application/xml")
            return
        if not self.state.accepts(path, self.query):
            self.tell(_DENIED.format("Access denied"), 403, kind="application/xml")
            return
        if self.state.faults.take("html", self.file, self.where):
            self.tell(_PAGE, kind="text/html; charset=utf-8")
            return
        file = self._found(parts)
        if file is None:
            self.tell(_DENIED.format("The specified key does not exist."), 404)
            return
        facts = {
            "Content-Type": "binary/octet-stream",
            "Accept-Ranges": "bytes",
            "ETag": f'"{file.etag}"',
            "Content-Disposition": self.query.get("response-content-disposition", "inline"),
        }
        Delivery(self, file.body, self.file, facts).send()

    def _found(self, parts: list[str]) -> File | None:
        """Give the file of an address, also one of a commit that the hub has forgotten since."""
        _, org, name, commit, path = parts
        repo = self.state.repos.get(f"{org}/{name}")
        if repo is None or commit not in repo.all_commits:
            return None
        return repo.all_commits[commit].files.get(path)
