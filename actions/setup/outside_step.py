"""The step `outside`: the public address, the proxy's files, and what the doctor sees of it."""

from pathlib import Path

from msgspec.structs import replace

from actions.doctor.check import Examination
from actions.doctor.examining import examine
from actions.doctor.ground import Ground as DoctorGround
from actions.doctor.wayin import Front, front_of
from actions.services.snapshot import ServiceStatus
from actions.setup.disagreement import disagreement
from actions.setup.draft import missing, other
from actions.setup.examined import commands_of
from actions.setup.ground import Ground
from actions.setup.outside_files import (
    ProxyFiles,
    drive_is_there,
    folder_of,
    network_of,
    proxy_files,
    usual_folder,
    write_of,
)
from actions.setup.planned import waiting
from actions.setup.report import Ask, Look, Option
from console.config.load import dotted
from console.errors import ConsoleError
from console.host.platform import is_wsl
from console.outside.address import PublicAddress, public_address

_OPEN = "security.no-login"
_KINDS = {
    "outside.name": "name",
    "outside.tls": "certificate",
    "outside.http": "way in",
    "outside.upload": "uploads",
    "outside.origin": "pages",
    "outside.websocket": "WebSocket",
    "security.login": "login",
}
"""What each of the doctor's checks looks at."""

_RISK = (
    "anybody who finds the address computes on your cards, sees the pictures of others, and may "
    "run programs through ComfyUI's nodes"
)
_NO_DEMAND = frozenset({"service", "barred", "elsewhere"})
"""What may stand at an address where no login was seen, and yet something lets people in."""


def look_at_outside(ground: Ground) -> Look:
    """Note the public address, write the proxy's files, and have the doctor look at the way in."""
    asks = _asks(ground)
    try:
        look = _looked(ground)
    except ConsoleError as error:
        # The questions stay: an address that is none is typed anew.
        hint = (error.hint,) if error.hint else ()
        look = Look(state="blocked", detail=error.title, commands=hint)
    return replace(look, asks=(*look.asks, *asks))


def _looked(ground: Ground) -> Look:
    service = ground.service
    there = service.service.public_url if service is not None else ""
    url = ground.answers.text("outside.public_url").strip() or there
    if not url:
        return Look(
            state="skipped",
            detail="no public address is wanted: it is used from here, or through SSH",
            proposes=(
                "from another machine without any of this: gpuconsole on the host by SSH, or",
                f"ssh -L 8188:{_local(service)} USER@THIS-HOST, then http://127.0.0.1:8188",
            ),
        )
    address = public_address(url)
    if service is None:
        look = Look(state="needed", detail=f"{url} comes once {ground.name} is there")
        return waiting(ground, look, "comfyui")
    values, against = _noted(ground, service, url)
    if against is not None:
        return against
    proxy = ground.answers.text("outside.proxy")
    files = proxy_files(ground, proxy, address) if proxy != "none" else None
    if files is not None and files.foreign:
        return _foreign(files)
    if values or (files is not None and files.todo):
        return _to_write(ground, url, values, files)
    return _checked(ground, service, address, files)


def _local(service: ServiceStatus | None) -> str:
    url = service.service.url if service is not None else ""
    return url.partition("://")[2].rstrip("/") or "127.0.0.1:8188"


def _noted(ground: Ground, service: ServiceStatus, url: str) -> tuple[dict[str, str], Look | None]:
    """Give what the config is to have of the address, or why it is left as it is."""
    there = service.service.public_url
    wanted = {dotted(("services", service.name, "public_url")): url}
    if there and url.rstrip("/") != there.rstrip("/"):
        if service.service.source == "config" and ground.answers.flag("existing.replace"):
            return wanted, None
        said = other(ground.session, wanted) or {next(iter(wanted)): there}
        return {}, disagreement(said, wanted)
    if service.service.source != "config":
        return {}, Look(
            state="blocked",
            detail=f"{service.name} is not in the config, which the address belongs into",
            commands=("the step existing takes it over",),
        )
    if there:
        return {}, None
    return missing(ground.session, wanted), None


def _foreign(files: ProxyFiles) -> Look:
    names = ", ".join(str(one) for one in files.foreign)
    return Look(
        state="blocked",
        detail=f"{names}: somebody else's file is there, and is left as it is",
        commands=(
            "outside.folder names another folder for the files",
            "or move that file away, then look again",
        ),
    )


def _to_write(ground: Ground, url: str, values: dict[str, str], files: ProxyFiles | None) -> Look:
    where = [f"{url} into the config"] if values else []
    if files is not None and files.todo:
        names = ", ".join(one.path.name for one in files.todo)
        where.append(f"{names} into {files.folder}")
    notes: tuple[str, ...] = ("then the doctor looks at it as a visitor does",)
    if url.startswith("http://"):
        notes = ("by plain http everybody on the way reads passwords and pictures", *notes)
    return Look(
        state="needed",
        detail=f"writes {' and '.join(where)}",
        found=_kept(files),
        proposes=(*(files.notes if files is not None else ()), *notes),
        values=values,
        write=write_of(ground, files) if files is not None and files.todo else None,
        diff="\n".join(one.diff for one in files.todo) if files is not None else "",
        commands=files.commands if files is not None else (),
    )


def _kept(files: ProxyFiles | None) -> tuple[str, ...]:
    if files is None:
        return ()
    return tuple(f"{one} has changes of yours, which stay" for one in files.kept)


def _checked(
    ground: Ground, service: ServiceStatus, address: PublicAddress, files: ProxyFiles | None
) -> Look:
    """Say what the doctor sees: it is finished when a login was seen, or the risk is accepted."""
    name = service.name
    doctor = DoctorGround(ground.session)
    whole = _examined(ground, doctor, name)
    found = tuple(
        f"{one.state:<4} {_KINDS.get(one.id.partition(':')[0], one.group)}: {one.title}"
        for one in whole.results
        if one.id.endswith(f":{name}") and one.state != "skip"
    )
    found += _kept(files)
    accepted = ground.answers.flag("outside.open_accepted")
    own = [one for one in whole.findings if one.subject == name and one.current]
    errors = [one for one in own if one.severity == "error"]
    left = [one for one in errors if not (accepted and one.id == _OPEN)]
    front = _front(doctor, service)
    if left:
        commands = list(commands_of(left))
        if any(one.id == _OPEN for one in left):
            commands.append(f"or outside.open_accepted = true accepts that {_RISK}")
        if files is not None:
            commands += ["what the proxy needs:", *files.commands]
        return Look(
            state="blocked", detail="; ".join(one.title for one in left), found=found,
            commands=tuple(commands),
        )  # fmt: skip
    warned = commands_of([one for one in own if one.severity == "warning"])
    look = _judged(address, name, front, accepted=accepted)
    return replace(look, found=found, commands=(*look.commands, *warned))


def _judged(address: PublicAddress, name: str, front: Front | None, *, accepted: bool) -> Look:
    if front is not None and front.kind == "login":
        return Look(
            state="done",
            detail=f"{address.base} asks for a login before it leads to {name}",
            proposes=(
                "nothing behind the login was looked at, and none was sent. Once, in a browser:",
                "log in, upload a picture, queue an edit, and see its progress move",
            ),
        )
    if accepted and front is not None and front.kind in _NO_DEMAND:
        return Look(
            state="done",
            detail=f"{address.base} leads to {name}, open to anybody, which the answers accept",
        )
    said = {
        "behind": f"the proxy answers and does not reach {name} (it does not run?)",
        "barred": "nobody is let in from here (403), and no login is asked for",
        "elsewhere": "it sends its visitors to another site, which was not seen to be a login",
    }
    kind = front.kind if front is not None else ""
    return Look(
        state="blocked",
        detail=f"{address.base} is not finished: {said.get(kind, 'no login was seen there')}",
        commands=(
            f"`gpuconsole doctor --only outside --service {name}` shows what was asked",
            f"or outside.open_accepted = true accepts that {_RISK}",
        ),
    )


def _examined(ground: Ground, doctor: DoctorGround, name: str) -> Examination:
    for event in examine(ground.session, only=("outside", "security"), service=name, ground=doctor):
        if isinstance(event, Examination):
            return event
    raise AssertionError  # an examination always ends with the whole of it


def _front(doctor: DoctorGround, service: ServiceStatus) -> Front | None:
    """Give what stands at the address; the doctor has asked already, and it is not asked again."""
    try:
        return front_of(doctor, service)[1]
    except ConsoleError:
        return None


def _asks(ground: Ground) -> tuple[Ask, ...]:
    """Give the questions; those about a proxy once there is an address, and one."""
    answers, service = ground.answers, ground.service
    there = service.service.public_url if service is not None else ""
    url = answers.text("outside.public_url") or there
    none = Option(value="", title="none", detail="it is used from here", recommended=not url)
    first = Ask(
        key="outside.public_url",
        title="Under which address do people find it?",
        kind="text",
        value=url,
        options=() if there else (none,),
        about="such as https://qwen.example.org; empty leaves this step out",
    )
    if not url:
        return (first,)
    proxy = answers.text("outside.proxy")
    asks = [first, _proxy_ask(ground, proxy, there=bool(there))]
    if proxy != "none":
        asks.append(_folder_ask(ground, proxy))
    if proxy != "none" and is_wsl(ground.session.root):
        asks.append(_network_ask(ground))
    if proxy in {"caddy", "nginx"}:
        login = answers.text("outside.login")
        asks.append(Ask(key="outside.login", title="Which name logs in?", kind="text", value=login))
    accepted = answers.flag("outside.open_accepted")
    asks.append(
        Ask(
            key="outside.open_accepted",
            title="Leave it open, without a login?",
            kind="flag",
            value=accepted,
            about=_RISK,
        )
    )
    return tuple(asks)


def _proxy_ask(ground: Ground, proxy: str, *, there: bool) -> Ask:
    wsl = is_wsl(ground.session.root)
    return Ask(
        key="outside.proxy",
        title="What stands before it?",
        value=proxy,
        options=(
            Option(value="none", title="something that is set up already", recommended=there),
            Option(
                value="iis", title="IIS on Windows",
                detail="web.config and the commands it needs", recommended=wsl and not there,
            ),
            Option(
                value="caddy", title="Caddy on this host",
                detail="gets its certificate by itself", recommended=not wsl and not there,
            ),
            Option(value="nginx", title="nginx on this host", detail="with certbot"),
        ),
        about="ComfyUI has no login and no https of its own: a proxy gives it both",
    )  # fmt: skip


def _folder_ask(ground: Ground, proxy: str) -> Ask:
    usual = usual_folder(ground)
    options = [Option(value="", title=str(usual), detail="beside the config", recommended=True)]
    windows = Path(f"/mnt/c/inetpub/{ground.name}")
    if proxy == "iis" and is_wsl(ground.session.root) and drive_is_there(windows):
        options.append(
            Option(value=str(windows), title=str(windows), detail="on Windows itself, for the site")
        )
    return Ask(
        key="outside.folder",
        title="Where are its files written?",
        kind="text",
        value=ground.answers.text("outside.folder"),
        options=tuple(options),
        about=f"now: {folder_of(ground)}",
    )


def _network_ask(ground: Ground) -> Ask:
    network = network_of(ground)
    return Ask(
        key="outside.network",
        title="How does Windows reach WSL?",
        value=network.mode,
        options=(
            Option(value="nat", title="NAT", detail="WSL has a network of its own"),
            Option(value="mirrored", title="mirrored", detail="both share one network"),
        ),
        about=network.why,
    )
