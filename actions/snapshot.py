"""The merged picture of the host that every view reads: cards, containers, claims, alerts."""

from datetime import datetime

import msgspec

from actions.services.snapshot import ServiceStatus
from console.engine.snapshot import ContainerUsage, EngineSnapshot
from console.gpu.snapshot import GpuSnapshot
from console.host.snapshot import HostFacts
from console.unknown import Unknown


class ChainStep(msgspec.Struct, frozen=True, kw_only=True):
    """One setting in the chain that leads from a container's configuration to a card.

    Attributes:
        setting: such as `compose device_ids`, `CUDA_VISIBLE_DEVICES`, `--gpu-device-id`.
        value: its value as written.
        effect: what it does on this host, in words.
    """

    setting: str
    value: str
    effect: str


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Which cards a container uses, and how we know.

    Attributes:
        gpu_uuids: empty where it uses none or where nobody knows (see `source`).
        source: `processes`, `declared`, `observed` or `unknown`.
        uses_gpu: False where nothing at all points to a card.
        chain: the settings that led here, in the order in which they apply.
        used_bytes: VRAM it holds, where the driver tells (native Linux), else Unknown.
        declared_uuids: where its settings lead, whatever the driver sees; None where that can't be
            told.
    """

    gpu_uuids: tuple[str, ...]
    source: str
    uses_gpu: bool
    chain: tuple[ChainStep, ...] = ()
    used_bytes: int | Unknown = Unknown("vram.unattributed", "the driver does not tell")
    declared_uuids: tuple[str, ...] | None = None


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Something an operator should know now.

    Attributes:
        id: kind of alert, such as `container.crash-loop`.
        severity: `error`, `warning` or `info`.
        subject: the container's or card's name, cleaned.
        subject_id: container id or GPU uuid; empty where it is the host.
        title: one sentence, without the subject's name at its start.
        hint: what to do next; may be empty.
        since: when it began, if known.
        count: how often; 1 for a state.
    """

    id: str
    severity: str
    subject: str
    title: str
    subject_id: str = ""
    hint: str = ""
    since: datetime | None = None
    count: int = 1


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Row 1: the state of the host in one sentence, worst first.

    Attributes:
        severity: `error`, `warning`, `info` or `ok`.
        text: the sentence.
        alert: what it speaks of; None when all is well.
    """

    severity: str
    text: str
    alert: Alert | None = None


class HostSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a view needs, at one moment.

    Attributes:
        gpus_age_seconds: since the last reading of the cards; None before the first.
        gpus_stale: the reading is overdue by 3 s.
        claims: by container id.
        usage: by container id; only for containers somebody looks at.
        services: configured and discovered, in the config's order, then by name.
        unavailable: sources that are missing altogether: (`gpu` | `engine` | ..., why).
    """

    taken_at: datetime
    gpu: GpuSnapshot
    gpus_age_seconds: float | None
    gpus_stale: bool
    engine: EngineSnapshot
    host: HostFacts | Unknown
    claims: dict[str, Claim]
    usage: dict[str, ContainerUsage]
    alerts: tuple[Alert, ...]
    verdict: Verdict
    services: tuple[ServiceStatus, ...] = ()
    unavailable: tuple[tuple[str, Unknown], ...] = ()
