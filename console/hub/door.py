"""The door to the hub: what a file there is, what lies beside it, and where its bytes come from."""

import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

from console.clock import Clock
from console.hub.facts import HubFile, HubSpec
from console.hub.faults import HubFault, fault
from console.hub.line import ANSWER_SECONDS, COMMIT, SHA256, HubLine
from console.hub.listing import LARGEST, commit_of, entries, listed
from console.hub.nearest import add_nearest
from console.hub.source import HubSource
from console.hub.spec import check_path, check_repo, check_revision

if TYPE_CHECKING:
    from huggingface_hub.file_download import HfFileMetadata

    from console.hub.answers import Asked

_MOST_PAGES = 20


class HubDoor:
    """Asks one hub, that of HF_ENDPOINT, with the token from the usual places.

    Nothing is imported or sent before the first question; any thread may ask.

    Args:
        environ: the environment the program was started with.
        clock: tells how long a rate limit lasts that is given as a time.
    """

    def __init__(self, environ: Mapping[str, str], clock: Clock | None = None) -> None:
        self._line = HubLine(environ, clock)
        self._sources: weakref.WeakSet[HubSource] = weakref.WeakSet()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def endpoint(self) -> str:
        """Give the hub's address, as it may be shown."""
        return self._line.shown

    @property
    def token_source(self) -> str:
        """Give where the token is from: a variable or a file; empty where there is none."""
        return self._line.source

    def file(self, spec: HubSpec, *, seen: bool = False) -> HubFile:
        """Ask what a file is: its commit, its size and what its bytes must have for a hash.

        Args:
            spec: which file.
            seen: it was there before, so that a hidden repository means a missing token.

        Raises:
            HubFault: of any kind; a wrong name comes with the nearest right ones.
        """
        self._line.check()
        check_repo(spec.repo)
        check_revision(spec.revision)
        check_path(spec.path)
        asked = self._line.asked(spec, seen=seen or COMMIT.fullmatch(spec.revision) is not None)
        try:
            return _told(spec, self._metadata(spec, asked), asked)
        except HubFault as error:
            add_nearest(error, self._line, spec, asked)
            raise

    def files(
        self, repo: str, revision: str = "main", folder: str = "", *, deep: bool = False
    ) -> tuple[HubFile, ...]:
        """Give the files of a folder in a repository; `deep`: with those of folders below it.

        Names that could do harm on a disk are left out.

        Raises:
            HubFault: of any kind.
        """
        self._line.check()
        check_repo(repo)
        check_revision(revision)
        if folder:
            check_path(folder)
        asked = self._line.asked(HubSpec(repo=repo, path=folder or "/", revision=revision))
        commit = commit_of(self._line, repo, revision, asked)
        spec = HubSpec(repo=repo, path="", revision=commit)
        found = entries(self._line, spec, folder, asked, deep=deep, pages=_MOST_PAGES)
        named = HubSpec(repo=repo, path="", revision=revision)
        made = (listed(named, commit, entry) for entry in found)
        return tuple(file for file in made if file is not None)

    def first_bytes(self, file: HubFile, count: int) -> bytes:
        """Give the first bytes of a file, fewer where it has not so many.

        Raises:
            HubFault: of any kind.
        """
        wanted = min(count, file.size)
        data = bytearray()
        with self.source(file).open(0, wanted) as body:
            for piece in body.pieces():
                data += piece
                if len(data) >= wanted:
                    break
        return bytes(data[:wanted])

    def source(self, file: HubFile) -> HubSource:
        """Give where the bytes of a file come from, in ranges, always of its commit."""
        made = HubSource(self._line, file)
        self._sources.add(made)
        return made

    def close(self) -> None:
        """Cut what is open."""
        for source in tuple(self._sources):
            source.abandon()
        self._sources.clear()

    def _metadata(self, spec: HubSpec, asked: "Asked") -> "HfFileMetadata":
        """Ask the library, which follows a renamed repository but not the way to the bytes."""
        token = self._line.token()
        from huggingface_hub import get_hf_file_metadata, hf_hub_url
        from huggingface_hub.errors import HfHubHTTPError

        from console.hub.answers import FAULTS, of_error
        from console.hub.library import at_home, prepare

        prepare()
        endpoint = self._line.endpoint
        url = hf_hub_url(spec.repo, spec.path, revision=spec.revision, endpoint=endpoint)
        try:
            with at_home(endpoint):
                return get_hf_file_metadata(
                    url,
                    token=token or False,
                    timeout=ANSWER_SECONDS,
                    library_name="gpuconsole",
                    endpoint=endpoint,
                )
        except HfHubHTTPError as error:
            raise self._line.refusal(error.response, asked) from error
        except FAULTS as error:
            raise of_error(error, asked) from error
        except ValueError as error:
            # The library takes what an answer says for an address or a number.
            raise fault("hub.odd-answer", **asked.words()) from error


def _told(spec: HubSpec, found: "HfFileMetadata", asked: "Asked") -> HubFile:
    """Give what the hub said as a file; raises where it is not what a hub says."""
    commit, etag = (found.commit_hash or "").lower(), (found.etag or "").lower()
    if COMMIT.fullmatch(commit) is None:
        raise fault("hub.not-a-hub", **asked.words())
    large = SHA256.fullmatch(etag) is not None
    if not (large or COMMIT.fullmatch(etag)) or found.size is None:
        raise fault("hub.odd-answer", detail="it gives no size or no hash", **asked.words())
    if not 0 <= found.size <= LARGEST:
        raise fault("hub.odd-answer", detail=f"a size of {found.size} bytes", **asked.words())
    return HubFile(
        spec=spec,
        commit=commit,
        size=found.size,
        sha256=etag if large else "",
        git_oid="" if large else etag,
    )
