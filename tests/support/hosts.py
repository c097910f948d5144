"""Whole hosts for tests of views, each a state that matters on the dashboard."""

from datetime import timedelta

import msgspec

from actions.services.snapshot import Evidence, ServiceStatus
from actions.snapshot import HostSnapshot
from console.services.reading import Job
from console.unknown import Unknown
from tests.support.snapshots import (
    GIB,
    NO_DRIVER,
    NO_ENGINE,
    NOT_SUPPORTED,
    NOW,
    alert,
    by_process,
    changed,
    container,
    declared,
    engine_snapshot,
    event,
    gpu,
    gpu_snapshot,
    host,
    ident,
    port,
    process,
    reading,
    service,
    usage,
)

SMALL = gpu(
    0,
    "NVIDIA GeForce RTX 3080 Laptop GPU",
    total=16,
    used=6.0,
    power_limit_watts=200.0,
    fan_percent=NOT_SUPPORTED,
    cuda_ordinal=1,
    processes=(process("python3", 5.6, "myia"), process("Xwayland", 0.4, None, 812)),
)
BIG = gpu(
    1,
    used=21.4,
    utilization_percent=92,
    temperature_celsius=71,
    power_watts=338.0,
    throttle_reasons=("sw_power_cap",),
    cuda_ordinal=0,
    processes=(process("python", 20.9, "comfyui-qwen"),),
)
USAGE = {
    "comfyui-qwen": usage(104, 18.2),
    "myia": usage(2, 6.1),
    "caddy": usage(0, 0.021),
    "myia-turbo": usage(0, 0.1),
}
CRASH = alert(
    "container.crash-loop",
    "error",
    "myia-turbo",
    "crash-looping: 6 restarts since 22:14, exit 2: usage error",
    subject_id=ident("myia-turbo"),
    hint="read its log for the first error; stop it to end the loop",
    count=6,
)
SLOW = alert(
    "gpu.power-capped",
    "info",
    "RTX 3090",
    "is held back by its power limit",
    minutes=99,
    subject_id=BIG.uuid,
)


def healthy() -> HostSnapshot:
    """Two cards, five containers, nothing wrong."""
    turbo = container("myia-turbo", image="ghcr.io/example/forge:latest", ports=(port(7861, 7861),))
    return _studio(turbo, ())


def crash_loop() -> HostSnapshot:
    """The same host with one Forge that crash-loops."""
    turbo = container(
        "myia-turbo",
        "restarting",
        image="ghcr.io/example/forge:latest",
        exit_code=2,
        restart_count=6,
        started_at=NOW - timedelta(seconds=12),
        ports=(port(7861, 7861),),
    )
    return _studio(turbo, (CRASH, SLOW))


def _studio(turbo: object, alerts: tuple[object, ...]) -> HostSnapshot:
    containers = (
        container(
            "myia",
            image="ghcr.io/example/forge:latest",
            started_at=NOW - timedelta(days=2),
            health="healthy",
            ports=(port(7860, 7860),),
        ),
        container("comfyui-qwen", image="example/comfyui:0.3", ports=(port(8188, 8188),)),
        container(
            "caddy",
            image="caddy:2",
            started_at=NOW - timedelta(days=2),
            ports=(port(80, 80), port(443, 443)),
        ),
        container(
            "watchtower",
            "exited",
            image="containrrr/watchtower",
            finished_at=NOW - timedelta(days=5),
        ),
        turbo,
    )
    happened = (
        event("myia-turbo", "start", 0.2),
        event("myia-turbo", "die", 0.3, exit_code=2),
        event("comfyui-qwen", "exec_create: sh", 1),
        event("myia-turbo", "start", 4),
        event("myia-turbo", "die", 4.1, exit_code=2),
        event("comfyui-qwen", "health_status: healthy", 31),
    )
    return host(
        gpu_snapshot(SMALL, BIG),
        engine_snapshot(*containers, events=happened if alerts else ()),  # type: ignore[arg-type]
        {
            "myia": by_process(SMALL, used=5.6),
            "comfyui-qwen": by_process(BIG, used=20.9),
            "myia-turbo": declared(BIG, setting="--gpu-device-id", value="0"),
        },
        alerts,  # type: ignore[arg-type]
        usage=USAGE,
    )


COMFY_URL, FORGE_URL = "http://127.0.0.1:8188", "http://127.0.0.1:7860"
BIG_NAME, SMALL_NAME = str(BIG.name), str(SMALL.name)


def _myia(**changes: object) -> ServiceStatus:
    """A Forge on the small card that has a checkpoint loaded and idles."""
    told = reading(device=SMALL_NAME, model="sd/juggernautXL_v9.safetensors", version="f2.0.1")
    values: dict[str, object] = {
        "kind": "forge",
        "card": SMALL,
        "used": 5.6,
        "budget": 8.0,
        "vram_budget": 8 * GIB,
        "url": FORGE_URL,
        "gpu": "3080",
        "vram_budget_source": "config",
        "reading": told,
    }
    return service("myia", **{**values, **changes})  # type: ignore[arg-type]


def _comfy(state: str = "busy", **changes: object) -> ServiceStatus:
    """A ComfyUI on the big card."""
    job = Job(what="edit", step=3, steps=20, percent=15.0, running_seconds=41.0)
    busy = reading(device=BIG_NAME, queue_running=1, queue_pending=2, job=job)
    values: dict[str, object] = {
        "card": BIG,
        "used": 20.9,
        "budget": 21.3,
        "url": COMFY_URL,
        "public_url": "https://qwen-image-edit.example.org",
        "gpu": "3090",
        "variant": "qwen-edit-2509-fp8",
        "compose_service": "comfyui",
        "reading": busy if state == "busy" else reading(device=BIG_NAME),
    }
    return service("comfyui-qwen", state, **{**values, **changes})  # type: ignore[arg-type]


def _turbo(state: str = "stopped", **changes: object) -> ServiceStatus:
    """A Forge that is meant for the big card too, by default not running."""
    values: dict[str, object] = {
        "kind": "forge",
        "budget": 8.0,
        "vram_budget": 8 * GIB,
        "gpu": "3090",
        "gpu_expected_uuid": BIG.uuid,
        "gpu_declared_uuid": BIG.uuid,
        "vram_budget_source": "config",
        "evidence": (Evidence(source="engine", text="it was stopped; exit 0", at=NOW),),
        "container_state": "exited",
    }
    return service("myia-turbo", state, **{**values, **changes})  # type: ignore[arg-type]


def _with_services(base: HostSnapshot, *services: ServiceStatus, wsl: bool = True) -> HostSnapshot:
    """Give a host its services; on WSL the driver does not tell who holds what."""
    if not wsl:
        return changed(base, services=services)
    replace = msgspec.structs.replace
    cards = tuple(replace(card, processes=NOT_SUPPORTED) for card in base.gpu.gpus)
    claims = {
        key: replace(claim, source="declared", used_bytes=NOT_SUPPORTED)
        if claim.uses_gpu
        else claim
        for key, claim in base.claims.items()
    }
    gpus = replace(base.gpu, gpus=cards)
    return changed(base, gpu=gpus, claims=claims, services=services)


def _turbo_stopped() -> HostSnapshot:
    turbo = container(
        "myia-turbo",
        "exited",
        image="ghcr.io/example/forge:latest",
        finished_at=NOW - timedelta(hours=2),
    )
    return _studio(turbo, ())


def services_studio() -> HostSnapshot:
    """The studio as it should be: a Forge that idles, a ComfyUI that edits, one Forge stopped."""
    return _with_services(_turbo_stopped(), _myia(), _comfy(), _turbo())


def services_crash() -> HostSnapshot:
    """One service crash-loops."""
    end = Evidence(source="engine", text="6 restarts since 22:14, exit 2: usage error", at=NOW)
    turbo = _turbo("crash-looping", evidence=(end,), container_state="restarting")
    return _with_services(crash_loop(), _myia(), _comfy(), turbo)


def services_misplaced() -> HostSnapshot:
    """ComfyUI sits on the small card, though it is meant for the big one."""
    comfy = _comfy(
        "misplaced",
        gpu_uuid=SMALL.uuid,
        misplaced=True,
        activity="ready",
        used=9.2,
        reading=reading(device=SMALL_NAME),
        advice="set --cuda-device to 0 in docker-compose-comfyui.yaml: CUDA counts the fastest "
        "card first, and device_ids are not honoured on WSL",
        evidence=(Evidence(source="service", text=f"it computes on {SMALL_NAME}", at=NOW),),
    )
    wrong = alert(
        "service.misplaced",
        "warning",
        "comfyui-qwen",
        "sits on GPU 0, but is meant for GPU 1",
        subject_id=ident("comfyui-qwen"),
        hint="set --cuda-device to 0",
    )
    base = _with_alert(_turbo_stopped(), wrong)
    return _with_services(base, _myia(), comfy, _turbo())


def services_troubled() -> HostSnapshot:
    """One needs a login, one hangs, one was never created, one has just been started."""
    login = Unknown(
        "service.needs-auth", "a login is in the way", "set auth for myia in the config"
    )
    hung = Unknown("web.timeout", "no answer within 2 s", "read its log, or restart it")
    locked = _myia(
        state="needs-auth",
        used=None,
        reading=reading(answer="needs-auth", problem=login, version=login),
        evidence=(Evidence(source="service", text="GET /internal/ping: 302 to /login", at=NOW),),
    )
    silent = _comfy(
        "unreachable",
        used=None,
        reading=reading(answer="unreachable", problem=hung),
        evidence=(Evidence(source="service", text="GET /system_stats: no answer in 2 s", at=NOW),),
    )
    begun = _turbo(
        "starting",
        since=NOW - timedelta(minutes=3),
        reading=reading(answer="starting", stage="provisioning"),
        container_state="running",
    )
    absent = service(
        "comfyui-lab",
        "absent",
        budget=13.0,
        gpu_expected_uuid=BIG.uuid,
        variant="qwen-edit-2509-gguf-q4_k_m",
        evidence=(
            Evidence(source="engine", text="there is no container comfyui-lab"),
            Evidence(source="config", text="no compose service would create it"),
        ),
    )
    return _with_services(healthy(), locked, silent, begun, absent)


def services_discovered() -> HostSnapshot:
    """A host without a config, on native Linux: what runs was recognised."""
    found = _comfy(
        "ready",
        source="discovered",
        gpu="",
        variant="",
        budget=None,
        gpu_source="processes",
        used=20.9,
        vram_used_source="driver",
        reasons=("its image is example/comfyui", "it publishes port 8188"),
    )
    return _with_services(healthy(), found, wsl=False)


def services_hostile() -> HostSnapshot:
    """Services with names of markup and wide characters."""
    base = hostile()
    made = [
        service(item.name, "busy", container_id=item.id, reading=reading(job=Job(what="[b]" * 40)))
        for item in base.engine.containers
    ]
    return changed(base, services=tuple(made))


def no_driver() -> HostSnapshot:
    """Containers, but no driver and so no cards."""
    gpus = gpu_snapshot(driver=NO_DRIVER, problem=NO_DRIVER, taken_at=None, taken_monotonic=None)
    missing = alert("gpu.no-driver", "warning", "cards:", NO_DRIVER.title, hint=NO_DRIVER.hint)
    return changed(
        _with_alert(healthy(), missing),
        gpu=gpus,
        gpus_age_seconds=None,
        unavailable=(("gpu", NO_DRIVER),),
    )


def no_engine() -> HostSnapshot:
    """Cards, but no engine."""
    engine = engine_snapshot(
        state="lost", problem=NO_ENGINE, version=NO_ENGINE, heard_monotonic=None, taken_at=None
    )
    missing = alert("engine.absent", "warning", "engine:", NO_ENGINE.title, hint=NO_ENGINE.hint)
    return changed(
        _with_alert(healthy(), missing), engine=engine, unavailable=(("engine", NO_ENGINE),)
    )


def neither() -> HostSnapshot:
    """A laptop with neither card nor engine."""
    return changed(
        no_driver(),
        engine=no_engine().engine,
        unavailable=(("gpu", NO_DRIVER), ("engine", NO_ENGINE)),
    )


def engine_lost() -> HostSnapshot:
    """The engine went away while its containers were known."""
    before = healthy()
    return changed(
        before,
        engine=engine_snapshot(*before.engine.containers, state="lost", problem=NO_ENGINE),
        unavailable=(("engine", NO_ENGINE),),
    )


def stale() -> HostSnapshot:
    """The driver has not answered for twelve seconds."""
    late = alert("gpu.stale", "warning", "cards:", "no reading for 12 s", minutes=0.2)
    return changed(_with_alert(healthy(), late), gpus_stale=True, gpus_age_seconds=12.0)


def one_card() -> HostSnapshot:
    """One card and one container."""
    card = gpu(0, used=2.1)
    return host(
        gpu_snapshot(card),
        engine_snapshot(container("comfyui")),
        {"comfyui": by_process(card, used=2.0)},
    )


def sixteen_cards() -> HostSnapshot:
    """A server of sixteen cards, one of them lost."""
    cards = [
        gpu(
            place,
            "NVIDIA A100-SXM4-80GB",
            total=80,
            used=place * 5,
            utilization_percent=place * 6,
            temperature_celsius=40 + place,
            power_watts=60.0 + 20 * place,
            power_limit_watts=400.0,
        )
        for place in range(16)
    ]
    lost = gpu(5, "NVIDIA A100-SXM4-80GB", lost=NO_DRIVER, memory_used_bytes=NO_DRIVER, total=80)
    cards[5] = lost
    return host(
        gpu_snapshot(*cards), engine_snapshot(*(container(f"worker-{n}") for n in range(3)))
    )


def three_hundred() -> HostSnapshot:
    """Three hundred containers, three of which use a card."""
    base = healthy()
    many = [container(f"batch-{n:03d}", "running" if n % 3 else "exited") for n in range(295)]
    return changed(
        base,
        engine=engine_snapshot(*base.engine.containers, *many),
        claims={**{item.id: base.claims[ident("caddy")] for item in many}, **base.claims},
    )


def hostile() -> HostSnapshot:
    """Names with markup, wide characters and no end; already cleaned of control characters."""
    names = ("[bold red]boo[/]", "非常に長い名前のコンテナ" * 4, "x" * 300, "e\u0301" * 40)
    containers = [container(name, image=name) for name in names]
    trouble = alert(
        "container.exited",
        "error",
        names[0],
        "[red]ended[/red] " + "長い" * 90,
        subject_id=ident(names[0]),
    )
    return host(
        gpu_snapshot(gpu(0, "[b]" + "界" * 60)), engine_snapshot(*containers), alerts=(trouble,)
    )


def _with_alert(snapshot: HostSnapshot, extra: object) -> HostSnapshot:
    made = host(snapshot.gpu, snapshot.engine, alerts=(extra,))  # type: ignore[arg-type]
    return changed(snapshot, alerts=made.alerts, verdict=made.verdict)
