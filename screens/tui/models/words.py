"""How variants, files and downloads are, in the symbols and words of every panel of models."""

from actions.models.model import Choice, Piece
from console.text import clean_line
from screens.tui.paint import UNKNOWN
from screens.tui.transfer_words import percent, size_text
from screens.tui.words import State

KIND_WORDS = {
    "checkpoint": "checkpoint",
    "diffusion_model": "diffusion model",
    "text_encoder": "text encoder",
    "mmproj": "vision tower",
    "vae": "VAE",
    "lora": "LoRA",
    "controlnet": "ControlNet",
    "model_patch": "model patch",
    "embedding": "embedding",
    "upscaler": "upscaler",
    "clip_vision": "CLIP vision",
    "other": "other",
}
PIECES = {
    "checked": State("✔", "ok", "checked"),
    "present": State("✔", "ok", "on disk"),
    "fetching": State("⇩", "accent", "fetching"),
    "missing": State("○", "dim", "missing"),
    "wrong-size": State("✖", "error", "wrong size"),
    "differs": State("✖", "error", "hash differs"),
    "unreadable": State("▲", "warning", "unreadable"),
}
JOBS = {
    "queued": State("◐", "dim", "queued"),
    "running": State("▶", "accent", "running"),
    "going-back": State("◐", "warning", "going back"),
    "paused": State("◑", "warning", "paused"),
    "interrupted": State("▲", "warning", "interrupted"),
    "needs_token": State("▲", "warning", "needs token"),
    "done": State("✔", "ok", "done"),
    "failed": State("✖", "error", "failed"),
    "cancelled": State("○", "dim", "cancelled"),
}
HASHES = {
    "checked": State("✔", "ok", "checked"),
    "known": State("·", "text", "hashed"),
    "differs": State("✖", "error", "differs"),
    "unchecked": State(UNKNOWN, "dim", "unchecked"),
}


def piece_state(piece: Piece) -> State:
    """Say how a file of a variant is; one that is being fetched, how far."""
    state = PIECES.get(piece.state, State("·", "dim", piece.state))
    if piece.percent is None or piece.state not in {"fetching", "missing"}:
        return state
    how = "" if piece.state == "fetching" else " begun"
    return State(state.symbol, state.role, f"{piece.percent:.0f} %{how}")


def choice_state(choice: Choice) -> State:
    """Say how much of a variant is on disk, and what is still to be fetched."""
    missing = choice.missing_bytes
    if choice.state == "ready":
        whole = all(piece.state == "checked" for piece in choice.pieces)
        return State("✔", "ok", "checked" if whole else "on disk")
    if choice.state == "fetching":
        return State("⇩", "accent", _fetched(choice))
    if choice.state == "damaged":
        return State("✖", "error", "damaged")
    if choice.state == "unreadable":
        return State("▲", "warning", "unreadable")
    words = choice.state if missing is None else f"get {size_text(missing)}"
    return State("", "text" if choice.state == "partly" else "dim", words)


def short_title(title: str) -> str:
    """Give a variant's title where there is little room: what tells it from others stays."""
    for long, short in (
        ("Nunchaku ", ""),
        (", Lightning ", " "),
        (" steps", "-step"),
        (", Lightning merged", " Lightning"),
        ("(", ""),
        (")", ""),
    ):
        title = title.replace(long, short)
    return title


def _fetched(choice: Choice) -> str:
    """Give how far the files of a variant are that are being fetched, as its job has it."""
    moving = [piece for piece in choice.pieces if piece.state == "fetching"]
    total = sum(piece.size_bytes or 0 for piece in moving)
    if total:
        return percent(sum(piece.done_bytes for piece in moving), total)
    told = [piece.percent for piece in moving if piece.percent is not None]
    return f"{min(told):.0f} %" if told else "fetching"


def kind_word(kind: str) -> str:
    """Give a kind of file as people say it; a dash where it is not known."""
    return KIND_WORDS.get(kind, clean_line(kind, 20)) or UNKNOWN
