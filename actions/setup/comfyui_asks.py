"""What may be answered in the step `comfyui`."""

from actions.setup.comfyui_files import LOOPBACK, PORT, Made
from actions.setup.files.filling import versions
from actions.setup.ground import Ground
from actions.setup.report import Ask, Option

_EVERYWHERE = "0.0.0.0"  # noqa: S104 -- an answer that somebody may give


def asks_of(ground: Ground, made: Made | None, *, edited: bool = False) -> tuple[Ask, ...]:
    """Give the questions, each with what holds now; of files that make no sense yet, as answered.

    Args:
        ground: answers and host.
        made: the files; None where they cannot be made as it is answered.
        edited: somebody changed them since they were written.
    """
    asks = []
    if ground.service is None:
        asks.append(
            Ask(
                key="service.name", title="What is it called?", kind="text", value=ground.name,
                about="In the config, for compose and for the engine.",
            )
        )  # fmt: skip
    asks += [
        _text(ground, "comfyui.folder", "Where do its files go?", str(made.folder) if made else ""),
        _text(
            ground, "comfyui.data", "Where does it keep pictures?",
            str(made.wanted.data) if made else "",
        ),
        _text(
            ground, "comfyui.port", "At which port?", str(made.wanted.port) if made else str(PORT)
        ),
        _bind(ground, made),
        _reserve(ground, made),
    ]  # fmt: skip
    if edited:
        asks.append(
            Ask(
                key="comfyui.rewrite", title="Write the changed files anew?", kind="flag",
                value=ground.answers.flag("comfyui.rewrite"),
                about="Somebody changed them since setup wrote them; a copy is kept.",
            )
        )  # fmt: skip
    return tuple(asks)


def _text(ground: Ground, key: str, title: str, value: str) -> Ask:
    return Ask(key=key, title=title, kind="text", value=ground.answers.text(key) or value)


def _bind(ground: Ground, made: Made | None) -> Ask:
    value = made.wanted.bind if made else ground.answers.text("comfyui.bind") or LOOPBACK
    return Ask(
        key="comfyui.bind",
        title="Who reaches it?",
        kind="text",
        value=value,
        options=(
            Option(
                value=LOOPBACK, title="this host only",
                detail="a proxy with a login stands in front for everybody else",
                recommended=True,
            ),
            Option(
                value=_EVERYWHERE, title="every network this host is in",
                detail="ComfyUI has no login: whoever reaches it can run what they like",
            ),
        ),
        about="Or an address of this host.",
    )  # fmt: skip


def _reserve(ground: Ground, made: Made | None) -> Ask:
    layout = made.wanted.layout if made else ground.layout
    usual = f"{float(versions()['reserve'][layout]):g}"
    return Ask(
        key="comfyui.reserve",
        title="How many GB of the card stay free?",
        kind="text",
        value=ground.answers.text("comfyui.reserve") or usual,
        options=(Option(value=usual, title=f"{usual} GB", detail=layout, recommended=True),),
        about="For the desktop, and for a Forge that shares the card.",
    )
