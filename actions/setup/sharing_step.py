"""The step `sharing`: one store of models for ComfyUI and Forge, in one direction or the other."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote

from actions.services.snapshot import ServiceStatus
from actions.setup.behind import behind, made_anew
from actions.setup.comfyui_files import absolute, files_here, is_theirs
from actions.setup.files.comfyui import STORE
from actions.setup.files.filling import versions
from actions.setup.files.forge import MODELS_INSIDE, forge_flags
from actions.setup.files.wanted import Store
from actions.setup.files.writing import not_ours, write_drafts
from actions.setup.ground import Ground
from actions.setup.report import Ask, Look, Option
from actions.setup.stores import forges, store_at, stores_of
from console.compose.editing import ComposeEdit, unified
from console.compose.entry_edit import edit_mount
from console.compose.outside import outside_of
from console.compose.project import ComposeService, read_service
from console.compose.setting import SettingChange, edit_settings
from console.compose.writing import write_edit
from console.errors import ConsoleError, UsageError
from console.text import clean_line

Stores = Sequence[tuple[str, Store]]


def look_at_sharing(ground: Ground) -> Look:
    """Say what ComfyUI and Forge could share, and have one read the other's models if so chosen."""
    way = ground.answers.text("sharing.way")
    found = stores_of(ground)
    here = tuple(f"{name}: {one.path} ({one.kind})" for name, one in found)
    asks = tuple(_asks(ground, found))
    try:
        if way == "comfyui":
            return _comfyui_reads(ground, found, here, asks)
        if way == "forge":
            return _forge_reads(ground, here, asks)
    except ConsoleError as error:
        hint = (error.hint,) if error.hint else ()
        return Look(state="blocked", detail=error.title, found=here, commands=hint, asks=asks)
    if not found and not forges(ground):
        return Look(state="done", detail="there is no Forge here to share models with")
    return Look(
        state="skipped",
        detail="ComfyUI and Forge keep models of their own, unless you choose otherwise",
        found=here,
        proposes=("models are large: one copy on the disk can serve both",),
        asks=asks,
    )


def _asks(ground: Ground, found: Stores) -> Iterator[Ask]:
    yield Ask(
        key="sharing.way",
        title="Who reads whose models?",
        value=ground.answers.text("sharing.way") or "none",
        options=(
            Option(
                value="none", title="each its own", recommended=True,
                detail="nothing is changed; you may come back to this at any time",
            ),
            Option(
                value="comfyui", title="ComfyUI reads Forge's too",
                detail="Forge's folder is mounted read only, and named in extra_model_paths.yaml",
            ),
            Option(
                value="forge", title="Forge reads ComfyUI's",
                detail="ComfyUI's folder is mounted read only, and Forge is told by its flags; "
                "its own LoRAs, embeddings and ControlNets it then sees no more, its checkpoints "
                "still",
            ),
        ),
        about="Neither copies or moves a file.",
    )  # fmt: skip
    store = ground.answers.text("sharing.store") or (str(found[0][1].path) if found else "")
    yield Ask(
        key="sharing.store",
        title="Where are Forge's models?",
        kind="text",
        value=store,
        options=tuple(
            Option(value=str(one.path), title=str(one.path), detail=name, recommended=not n)
            for n, (name, one) in enumerate(found)
        ),
    )
    several = forges(ground)
    if len(several) > 1:
        yield Ask(
            key="sharing.forge",
            title="Which Forge is to read ComfyUI's models?",
            value=ground.answers.text("sharing.forge") or several[0].name,
            options=tuple(Option(value=one.name, title=one.name) for one in several),
        )


def _comfyui_reads(
    ground: Ground, found: Stores, here: tuple[str, ...], asks: tuple[Ask, ...]
) -> Look:
    """Have ComfyUI read a Forge's store, by a mount and `extra_model_paths.yaml`."""
    store = _store(ground, found)
    service = ground.service
    if service is not None and is_theirs(service):
        return _theirs(service, store, here, asks)
    made = files_here(ground, store)
    foreign = next((one for one in made.drafts if one.foreign), None)
    if foreign is not None:
        raise not_ours(foreign.path)
    todo = [one for one in made.drafts if one.state != "same"]
    name = made.wanted.service
    if not todo:
        detail = f"{name} reads {store.path} at {STORE}"
        done = Look(state="done", detail=detail, found=here, asks=asks)
        return done if service is None else made_anew(ground, service, done)

    def write() -> tuple[str, ...]:
        backups = write_drafts(ground.session, todo, ground.session.clock.now())
        return tuple(map(str, [*(one.path for one in todo), *backups]))

    return Look(
        state="needed",
        detail=f"{name} is to read {store.path} too",
        found=here,
        proposes=(
            f"{store.path} is mounted at {STORE}, read only: {name} changes nothing in it",
            "extra_model_paths.yaml says which of its folders is what",
        ),
        write=write,
        diff="\n".join(one.diff for one in todo),
        asks=asks,
    )


def _store(ground: Ground, found: Stores) -> Store:
    """Give the store: as answered, else the first that is found.

    Raises:
        UsageError: there is none (`setup.no-store`), or no such folder.
    """
    if ground.answers.text("sharing.store"):
        path = absolute(ground, "sharing.store")
        known = next((one for _, one in found if one.path == path), None)
        if known is None and not path.is_dir():
            raise UsageError(
                "setup.no-store",
                f"there is no folder {clean_line(str(path), 120)}",
                "sharing.store in the answers names Forge's models folder",
            )
        return known or store_at(path)
    if not found:
        raise UsageError(
            "setup.no-store",
            "no folder with a Forge's models was found",
            'sharing.store = "/…/models" in the answers names it',
        )
    return found[0][1]


def _theirs(
    service: ServiceStatus, store: Store, here: tuple[str, ...], asks: tuple[Ask, ...]
) -> Look:
    """Say what somebody adds to a ComfyUI that setup did not make: its files stay as they are."""
    command = f"gpuconsole setup files --kind extra-model-paths --store {quote(str(store.path))}"
    return Look(
        state="blocked",
        detail=f"{service.name} is not setup's: its compose file is left to you",
        found=here,
        commands=(
            f"{command} --store-kind {store.kind} --out DIR",
            f"then mount {store.path} at {STORE}, and that file beside ComfyUI's main.py",
        ),
        asks=asks,
    )


def _forge_reads(ground: Ground, here: tuple[str, ...], asks: tuple[Ask, ...]) -> Look:
    """Have a Forge read ComfyUI's models, by a mount and its own flags."""
    forge = _forge(ground)
    models = ground.session.settings.paths.models
    if models is None:
        raise UsageError(
            "setup.no-models", "no models folder is known", "existing.models in the answers"
        )
    mine = forge.service
    if mine.compose_file is None or not mine.compose_service:
        flags = " ".join(forge_flags(MODELS_INSIDE))
        return Look(
            state="blocked",
            detail=f"{forge.name} has no compose file that is known here",
            found=here,
            commands=(f"mount {models} at {MODELS_INSIDE}", f"start Forge with {flags}"),
            asks=asks,
        )
    there = read_service(mine.compose_file, mine.compose_service)
    edit = _edited(ground, there, models)
    if edit.text == edit.before:
        detail = f"{forge.name} is told to read {models}"
        done = Look(state="done", detail=detail, found=here, asks=asks)
        # Its flags come from elsewhere too: only the mount tells whether the file is in force.
        lacks = [one for one in behind(ground, forge) if str(MODELS_INSIDE) in one]
        return made_anew(ground, forge, done) if lacks else done

    def write() -> tuple[str, ...]:
        made = _folders(models)
        backup = write_edit(there.file, edit, f"setup-{ground.session.clock.now():%Y%m%d-%H%M%S}")
        return (*made, str(there.file), str(backup))

    return Look(
        state="needed",
        detail=f"{forge.name} is to read {models}",
        found=here,
        proposes=(
            f"{models} is mounted at {MODELS_INSIDE}, read only",
            "Forge is told of its folders by flags; every other character of the file stays",
        ),
        write=write,
        diff=edit.diff,
        asks=asks,
    )


def _folders(models: Path) -> tuple[str, ...]:
    """Make what Forge would make itself and cannot, read only as it is; gives what is new.

    Raises:
        ConsoleError: one cannot be made (`setup.folder`).
    """
    wanted = [models / one for one in versions()["forge_flags"].values()]
    new = [one for one in wanted if not one.exists()]
    for one in new:
        try:
            one.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConsoleError(
                "setup.folder",
                f"{one} cannot be made: {error.strerror or error}",
                "Make it as the owner of the models folder",
            ) from error
    return tuple(map(str, new))


def _forge(ground: Ground) -> ServiceStatus:
    said = ground.answers.text("sharing.forge")
    several = forges(ground)
    for one in several:
        if not said or said in {one.name, one.service.container}:
            return one
    names = ", ".join(one.name for one in several)
    raise UsageError(
        "setup.no-forge",
        f"no Forge here is called {clean_line(said, 80)!r}" if said else "there is no Forge here",
        f"sharing.forge names one of: {names}" if names else "sharing.way names another way",
    )


def _edited(ground: Ground, there: ComposeService, models: Path) -> ComposeEdit:
    """Give the edit of mount and flags together.

    Raises:
        ComposeError: it cannot be made without harm.
    """
    name = str(there.file)
    outside = outside_of(there, ground.session.environ)
    mounted = edit_mount(there.text, there.name, str(models), str(MODELS_INSIDE), name)
    parts = (one.partition("=") for one in forge_flags(MODELS_INSIDE))
    flags = tuple((flag, value) for flag, _, value in parts)
    told = edit_settings(mounted.text, there.name, SettingChange(flags=flags), outside, name)
    return ComposeEdit(
        before=there.text,
        text=told.text,
        diff=unified(there.text, told.text, name),
        settings=(*mounted.settings, *told.settings),
    )
