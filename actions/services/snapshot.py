"""What is known of the services at one moment; every view reads these."""

from datetime import datetime
from pathlib import Path

import msgspec

from console.config.schema import Auth
from console.services.reading import Reading, StartLog
from console.unknown import Unknown

STATES = (
    "absent",
    "stopped",
    "created",
    "starting",
    "ready",
    "busy",
    "unhealthy",
    "crash-looping",
    "needs-auth",
    "unreachable",
    "misplaced",
)
"""`misplaced` takes the place of `ready` and `busy` where a service sits on another card than
meant; its `activity` still says which of the two."""

UP_STATES = frozenset({"starting", "ready", "busy", "unhealthy", "needs-auth", "unreachable",
                       "misplaced"})  # fmt: skip
"""States in which a service may hold VRAM."""

NO_BUDGET = Unknown(
    "vram.no-budget",
    "how much VRAM it needs is not known: neither variant nor vram_budget is set",
    "set one of them in the config",
)


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A service as configured or discovered; who it is, not how it is.

    Attributes:
        name: as the operator calls it; a discovered one is called like its container.
        kind: `forge`, `comfyui` or `other`.
        source: `config`, or `discovered` (offered for adoption into the config).
        container: name of its container, where that is known.
        compose_file, compose_service, compose_project: what creates it; from the config, else from
            the container's labels. All three may be missing.
        compose_dir: the project's working directory, from the labels.
        compose_files: every file of the project in order, from the labels; empty without them.
        compose_env_files: files that its variables come from instead of `.env`, from the labels.
        url: of its API from this host; url_source says where that is from: `config`, `port`
            (published port of its container), or empty.
        gpu: as configured: a UUID or part of a name.
        variant: id of the variant it loads.
        vram_budget: bytes, as configured.
        reasons: why a discovered one was taken for this kind.
    """

    name: str
    kind: str
    source: str = "config"
    container: str = ""
    compose_file: Path | None = None
    compose_service: str = ""
    compose_project: str = ""
    compose_dir: Path | None = None
    compose_files: tuple[Path, ...] = ()
    compose_env_files: tuple[Path, ...] = ()
    url: str = ""
    url_source: str = ""
    public_url: str = ""
    gpu: str = ""
    variant: str = ""
    vram_budget: int | None = None
    auth: Auth | None = None
    reasons: tuple[str, ...] = ()


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that speaks for a state.

    `source` is `service`, `engine`, `log`, `driver` or `config`.
    """

    source: str
    text: str
    at: datetime | None = None


class ServiceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One service at one moment; sizes in bytes.

    Attributes:
        container_id: full id of its container; empty where there is none.
        state: one of `STATES`.
        activity: `ready`, `busy` or empty where it is neither.
        since: when the state began, as far as known.
        evidence: what the state rests on, the most telling first; never empty.
        reading: the newest look at its API; None where it was not looked at.
        gpu_uuid: the card it is on as far as known; None where it uses none (`observed`: where it
            says so itself).
        gpu_source: `observed` (the service's own word: its API or start log), `processes` (the
            driver), `declared` (its settings), or `unknown`.
        gpu_expected_uuid: the card it is meant for; None where nothing says.
        gpu_declared_uuid: where the chain of its settings leads; None where it leads nowhere.
        misplaced: it sits on another card than meant.
        advice: what to change where misplaced, or where it sits elsewhere than its settings lead
            to and nothing else says what was meant: the setting and its new value, in words.
        vram_budget_bytes: what it will take when it works, without the reserve.
        vram_budget_source: `config`, `variant` or empty.
        vram_used_bytes: what it holds now.
        vram_used_source: `service`, `driver`, or empty.
    """

    service: Service
    container_id: str = ""
    container_state: str = ""
    state: str
    activity: str = ""
    since: datetime | Unknown = Unknown("service.since-unknown", "nobody tells since when")
    evidence: tuple[Evidence, ...] = ()
    reading: Reading | None = None
    start_log: StartLog | None = None
    gpu_uuid: str | Unknown | None = None
    gpu_source: str = "unknown"
    gpu_expected_uuid: str | Unknown | None = None
    gpu_declared_uuid: str | Unknown | None = None
    misplaced: bool = False
    advice: str = ""
    vram_budget_bytes: int | Unknown = Unknown(
        "vram.no-budget", "neither variant nor budget is set"
    )
    vram_budget_source: str = ""
    vram_used_bytes: int | Unknown = Unknown("vram.unattributed", "nobody tells")
    vram_used_source: str = ""

    @property
    def name(self) -> str:
        """The service's name."""
        return self.service.name

    @property
    def up(self) -> bool:
        """Whether it may hold VRAM now."""
        return self.state in UP_STATES
