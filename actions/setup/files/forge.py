"""Forge's compose service: a new one, and one that is there, corrected where it stands."""

import re
from collections.abc import Callable
from pathlib import Path

import msgspec

from actions.setup.files.comfyui import traps
from actions.setup.files.filling import compose_name, in_compose, template, versions
from actions.setup.files.pinning import cards_in_words, devices, flag, order_in_words, published
from actions.setup.files.wanted import Generated, Wanted
from console.compose.edit import CardChange, edit_card
from console.compose.editing import ComposeEdit, unified
from console.compose.entry_edit import edit_env_file, edit_unpublished
from console.compose.faults import ComposeError
from console.compose.outside import Outside
from console.compose.project import parse, service_of
from console.compose.setting import SettingChange, edit_settings
from console.compose.settings import Variable, variables_of
from console.compose.tree import Tree, is_scalar

COMPOSE = "docker-compose-forge.yaml"
ENV_FILE = "forge.env"
SUPERVISOR = 9001
MODELS_INSIDE = Path("/comfyui-models")
"""Where ComfyUI's models are mounted in a Forge that reads them."""
_SECRETS = ("WEB_TOKEN", "WEB_PASSWORD")
_PLAIN = re.compile(r"[A-Za-z0-9_./:,=@%+~^!?*&-]+")
_DEFAULT = re.compile(r"(?<!\$)(?:\$\$)*\$\{\w+:?-[^}]")
_NUMBER = re.compile(r"[-+]?[\d_.:]+(?:e[-+]?\d+)?|0[xob][\da-f_]+", re.IGNORECASE)
_WHOLE = re.compile(r"[1-9]\d{0,17}")


class Corrected(msgspec.Struct, frozen=True, kw_only=True):
    """A compose file with its Forge corrected; every character that is not about it is as it was.

    Attributes:
        edit: before, after, and the diff with secrets masked.
        reasons: what was corrected, and why, a sentence each.
        refused: what could not be, and why.
        secrets: variables whose values move into the env file; never shown.
    """

    edit: ComposeEdit
    reasons: tuple[str, ...]
    refused: tuple[str, ...] = ()
    secrets: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Corrected({len(self.reasons)} corrections)"


def forge_file(wanted: Wanted) -> Generated:
    """Give a compose file with a new Forge, as the ai-dock image starts it.

    Raises:
        UsageError: a name, an address or a folder is none that compose takes.
    """
    known = versions()["forge"]
    args = " ".join(filter(None, (flag(wanted, "--gpu-device-id"), known["args"], _dirs(wanted))))
    text = template(
        "forge-compose.yaml",
        cards=cards_in_words(wanted.cards, wanted.card),
        order=order_in_words(wanted),
        service=compose_name(wanted.service),
        container=compose_name(wanted.container),
        image=known["image"],
        args=in_compose(args),
        ports=published(wanted, known["port"]),
        workspace=in_compose(wanted.workspace),
        store=_store(wanted),
        devices=devices(wanted),
    )
    return Generated(name=COMPOSE, text=text, notes=traps("forge"))


def env_file(secrets: dict[str, str]) -> Generated:
    """Give the env file with a Forge's secrets, for its owner's eyes only."""
    lines = [f"{name}={value}" for name, value in secrets.items()]
    return Generated(name=ENV_FILE, text="\n".join(lines) + "\n", mode=0o600)


def forge_flags(models: Path) -> tuple[str, ...]:
    """Give the flags by which a Forge takes models out of a ComfyUI folder, one with its value."""
    return tuple(f"{name}={models / sub}" for name, sub in versions()["forge_flags"].items())


def corrected_forge(
    text: str,
    service: str,
    wanted: Wanted,
    outside: Outside | None = None,
    name: str = "compose.yaml",
    env_name: str = ENV_FILE,
    *,
    pin: bool = True,
) -> Corrected:
    """Give a compose file with a Forge service corrected; what cannot be is left and told.

    Its card is pinned, updates are off unless a version is named, supervisord's port is not
    published, and secrets that stand in the file move to an env file.

    Args:
        text: the file's.
        service: its name there.
        wanted: platform and card count.
        outside: what `.env` and `env_file` say.
        name: of the file, for the diff.
        env_name: the env file, relative to the compose file.
        pin: give it the card; False where nobody knows which it is to have.

    Raises:
        ComposeError: it is not valid, or has no such service.
    """
    service_of(parse(text, Path(name)), service, Path(name))
    work = _Work(text, service, outside, name)
    if pin:
        _pinned(work, wanted)
    _updates(work)
    work.take(
        lambda now: edit_unpublished(now, service, SUPERVISOR, outside, name),
        f"port {SUPERVISOR} is not published: that is supervisord, without a password",
    )
    secrets = _moved(work, env_name)
    edit = ComposeEdit(
        before=text, text=work.now, diff=unified(text, work.now, name), settings=tuple(work.words)
    )
    return Corrected(
        edit=edit, reasons=tuple(work.reasons), refused=tuple(work.refused), secrets=secrets
    )


class _Work:
    """A text while it is corrected, one edit after the other."""

    def __init__(self, text: str, service: str, outside: Outside | None, name: str) -> None:
        self.now = text
        self.service = service
        self.outside = outside
        self.name = name
        self.words: list[str] = []
        self.reasons: list[str] = []
        self.refused: list[str] = []

    def take(self, edited: Callable[[str], ComposeEdit], why: str) -> bool:
        """Make an edit; gives whether anything changed. What is refused changes nothing."""
        try:
            edit = edited(self.now)
        except ComposeError as error:
            self.refused.append(f"{error.title}; {error.hint}" if error.hint else error.title)
            return False
        if edit.text == self.now:
            return False
        self.now = edit.text
        self.words += edit.settings
        self.reasons.append(why)
        return True

    def set(self, change: SettingChange, why: str) -> bool:
        """Change flags or variables, as `take` does."""
        return self.take(
            lambda now: edit_settings(now, self.service, change, self.outside, self.name), why
        )

    def is_ai_dock(self) -> bool:
        """Tell whether its image is one of ai-dock's, which updates itself; a built one may be."""
        image = service_of(parse(self.now, Path(self.name)), self.service, Path(self.name))
        named = str(image.get("image") or "")
        return "ai-dock" in named or "$" in named or not named

    def environment(self) -> dict[str, Variable]:
        """Give the service's variables that have a value in the file itself, as written there."""
        tree = Tree(self.now)
        found = variables_of(tree, tree.services()[self.service])
        return {name: one for name, one in found.items() if one.value is not None}

    def meant(self, name: str) -> str | None:
        """Give what a variable is in the container; None where nothing says so."""
        outside = self.outside or Outside()
        own = self.environment().get(name)
        if own is not None:
            return outside.resolved(own.value or "")
        return outside.environment[name].value if name in outside.environment else None


def _pinned(work: _Work, wanted: Wanted) -> None:
    card = CardChange(
        index=wanted.card.index, gpu_uuid=wanted.card.uuid, by_device=wanted.platform != "wsl"
    )
    why = f"its card is pinned to {wanted.card.name}, in an order that does not change"
    refused = len(work.refused)
    done = work.take(lambda now: edit_card(now, work.service, card, work.outside, work.name), why)
    if len(work.refused) > refused:
        return  # in another order its flag would mean another card
    order = SettingChange(env=(("CUDA_DEVICE_ORDER", "PCI_BUS_ID"),))
    if work.set(order, why) and done:
        work.reasons.pop()  # said already


def _updates(work: _Work) -> None:
    if work.meant("FORGE_REF"):
        return
    now = work.meant("AUTO_UPDATE")
    if now is None and not work.is_ai_dock():
        return  # another image does not know the variable
    if (now or "").lower() != "false":
        work.set(
            SettingChange(env=(("AUTO_UPDATE", "false"),)),
            "updates are off: without FORGE_REF they go back to a Forge of February 2024",
        )


def _moved(work: _Work, env_name: str) -> dict[str, str]:
    """Move secrets out of the file; those that come from a variable are where they belong."""
    own = work.environment()
    written = [own[name] for name in _SECRETS if name in own and own[name].value]
    odd = {one.name: why for one in written if (why := _unmovable(one))}
    work.refused += (f"{name} stays in the file: {why}" for name, why in odd.items())
    plain = {
        one.name: str(one.value)
        for one in written
        if one.name not in odd and "$" not in str(one.value)
    }
    if not plain:
        return {}
    before, told = work.now, (len(work.words), len(work.reasons))
    refused = len(work.refused)
    goes = "goes" if len(plain) == 1 else "go"
    why = f"{' and '.join(plain)} {goes} into {env_name}, which only you may read"
    done = work.take(lambda now: edit_env_file(now, work.service, env_name, work.name), why)
    if not done and len(work.refused) > refused:
        return {}
    if not work.set(SettingChange(unset=tuple(plain)), why):
        work.now = before
        del work.words[told[0] :], work.reasons[told[1] :]
        return {}
    work.reasons[told[1] :] = [why]
    return plain


def _unmovable(one: Variable) -> str:
    """Say why a secret that stands in the file cannot be moved; empty where it can, or does not."""
    value = str(one.value)
    if _DEFAULT.search(value):
        return "take the default out of it, and set the variable in .env"
    if "$" in value.replace("$$", ""):
        return ""
    if not _PLAIN.fullmatch(value):
        # Quotes, blanks, $ and # mean other things to an env file, to each compose others.
        return "what is in it means other things in an env file"
    bare = is_scalar(one.node) and one.node.style is None and one.node.value == value
    if bare and _NUMBER.fullmatch(value) and not _WHOLE.fullmatch(value):
        return "each compose reads such a number otherwise; put it in quotes"
    return ""


def _dirs(wanted: Wanted) -> str:
    if wanted.store is None or wanted.store.kind != "comfyui":
        return ""
    return " ".join(forge_flags(MODELS_INSIDE))


def _store(wanted: Wanted) -> str:
    if wanted.store is None or wanted.store.kind != "comfyui":
        return ""
    return "\n".join(
        (
            "# ComfyUI's models, where FORGE_ARGS looks for them.",
            "- type: bind",
            f"  source: {in_compose(wanted.store.path)}",
            f"  target: {MODELS_INSIDE}",
            "  read_only: true",
            "  bind: {propagation: rprivate}",
        )
    )
