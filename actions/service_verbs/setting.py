"""What changing a flag or a variable of a service would do, and the way back from it."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from actions.plan import Check, Plan, Step
from actions.service_verbs.anew import (
    WELL,
    Anew,
    anew_steps,
    back_anew,
    rollback_anew,
    softened,
    was_running,
)
from actions.service_verbs.around import Around
from actions.service_verbs.compose_change import Wish, change_draft, restore_step
from actions.service_verbs.doing import Doing
from actions.service_verbs.draft import ServiceDraft, fit_facts
from actions.service_verbs.goal import runs
from actions.service_verbs.layout_words import check
from actions.service_verbs.start import card_check, cards_of, fit_checks
from actions.service_verbs.stop import job_checks, stop_how
from actions.service_verbs.way_back import edits_of
from actions.services.find import container_of
from actions.services.snapshot import ServiceStatus
from actions.session import Session
from console.engine.snapshot import ARGUMENT_NAMES
from console.errors import UsageError
from console.mask import mask_arguments, mask_text, mask_value
from console.text import clean_line
from console.unknown import known

if TYPE_CHECKING:
    from console.compose.setting import SettingChange

_FLAG = re.compile(r"--?[A-Za-z][A-Za-z0-9_.-]{0,80}")
# What means the same to YAML, to a shell and to the program, quoted or not.
_FLAG_VALUE = re.compile(r"[A-Za-z0-9_./:,=@%+-]{1,400}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,120}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MOST = 50
_LONGEST_VALUE = 2000
_COMMANDS = (("command",), ("entrypoint",))


def draft_set(
    session: Session, around: Around, status: ServiceStatus, options: Mapping[str, Any]
) -> ServiceDraft:
    """Give what telling a service otherwise would do.

    A service that runs is stopped, gets its new settings, is created anew by compose and has to
    be ready again. One that does not run gets its new settings, and a container made from them
    where it has one; it stays stopped unless `start` is asked for.

    Args:
        session: for config, commands and journal.
        around: the look at the host.
        status: the service.
        options: `remove_flag`, `flag`, `env`, `unset`, `start`, and those of stop and start;
            `back` has the facts of a change that is taken back.

    Raises:
        UsageError: nothing is asked for, or what cannot be.
    """
    back: Mapping[str, Any] | None = options.get("back")
    running = runs(around, status)
    starts = running or bool(options.get("start")) or was_running(session, "set", status.name)
    if back is not None:
        starts = bool(back.get("running"))
        edit = _putting_back(status, back)
    else:
        change = change_of(options)
        edit = change_draft(session, status, _wish(session, change, f"Change {status.name}"))
        if not edit.checks and not edit.steps and not _is_behind(around, status, change):
            return ServiceDraft(checks=(check("set.there"),))
    if edit.refused is not None:
        return edit
    fits, fitting = fit_checks(session, around, status, options)
    cards = card_check(status) if starts else ()
    words = _words(around, status, options, Anew(running, starts))
    draft = ServiceDraft(
        checks=(*edit.checks, *cards, *softened(fitting, starts=starts), *words),
        fits=fits,
        facts={"fits": fit_facts(fits)},
        diff=edit.diff,
    )
    if draft.refused is not None:
        return draft
    anew = Anew(runs=running, starts=starts)
    steps = anew_steps(around, status, options, edit.steps, anew, fits[0] if fits else None)
    facts = {"running": running, "well": status.state in WELL, "edits": edits_of(steps)}
    return msgspec.structs.replace(
        draft,
        steps=steps,
        cards=cards_of(status, fits) if starts else (),
        facts={**draft.facts, **facts},
    )


def rollback_set(
    session: Session, plan: Plan, done: Sequence[Step], broken: Step | None
) -> tuple[Step, ...]:
    """Give the steps that put settings and container back as they were, from what is true now."""
    return rollback_anew(session, plan, done, broken)


def back_set(session: Session, plan: Plan, left: Mapping[str, Any]) -> Plan:
    """Make the plan that takes a change back: file and container as they were before.

    Raises:
        RefusedError: others have changed the service since (`undo.changed`).
    """
    return back_anew(session, plan, left, ("running", "edits"), {})


def change_of(options: Mapping[str, Any]) -> "SettingChange":
    """Give what options ask for.

    Raises:
        UsageError: nothing (`set.nothing`); a flag, name or value that makes no sense
            (`plan.bad-option`); a card (`set.card`); a secret (`set.secret`).
    """
    from console.compose.setting import SettingChange

    change = SettingChange(
        remove=tuple(_flag(one)[0] for one in _several(options, "remove_flag")),
        flags=tuple(_flag(one) for one in _several(options, "flag")),
        env=tuple(_variable(one) for one in _several(options, "env")),
        unset=tuple(_name(one) for one in _several(options, "unset")),
    )
    if not (change.of_flags or change.names):
        raise UsageError(
            "set.nothing",
            "set needs something to change",
            "Such as --remove-flag --cuda-malloc, --flag --preview-method=auto or --env NAME=VALUE",
        )
    put = [name for name, _ in change.flags]
    both = {*change.remove} & {*put} or {*change.unset} & {name for name, _ in change.env}
    if both:
        raise UsageError("plan.bad-option", f"{min(both)} cannot be both set and taken out")
    return change


def wish_of_step(doing: Doing) -> Wish:
    """Give the wish that an edit step of `set` was made from."""
    from console.compose.setting import SettingChange

    change = msgspec.convert(doing.options["settings"], SettingChange)
    return _wish(doing.session, change, doing.step.title)


def _wish(session: Session, change: "SettingChange", title: str) -> Wish:
    from console.compose.outside import Concern, outside_of
    from console.compose.setting import edit_settings

    names = change.names | (set(ARGUMENT_NAMES) if change.of_flags else set())
    concern = Concern(names=names, places=_COMMANDS if change.of_flags else ())
    return Wish(
        title=title,
        by_hand="",
        options={"settings": msgspec.to_builtins(change)},
        edit=lambda text, service, outside, name: edit_settings(
            text, service, change, outside, name
        ),
        outside=lambda found: outside_of(found, session.environ, concern),
    )


def _putting_back(status: ServiceStatus, back: Mapping[str, Any]) -> ServiceDraft:
    edit = dict(back.get("edits") or {}).get(status.name)
    return ServiceDraft(steps=(restore_step(status, edit),) if edit else ())


def _is_behind(around: Around, status: ServiceStatus, change: "SettingChange") -> bool:
    """Tell whether a container is from before its file was changed, as far as its flags tell."""
    container = container_of(status.service, around.snapshot.engine.containers)
    if container is None or not known(container.gpu):
        return False
    told = dict(container.gpu.environment)
    words = [word for name in ARGUMENT_NAMES for word in told.get(name, "").split()]
    has = {word.partition("=")[0] for text in container.gpu.arguments for word in text.split()}
    has |= {word.partition("=")[0] for word in words}
    return any(flag in has for flag in change.remove)


def _words(
    around: Around, status: ServiceStatus, options: Mapping[str, Any], anew: Anew
) -> tuple[Check, ...]:
    """Say what is interrupted, or that it stays stopped."""
    if anew.runs:
        return tuple(job_checks(status, stop_how(options)))
    if anew.starts:
        return ()
    made = around.container(status) is not None
    return (check("set.remade" if made else "set.stopped"),)


def _several(options: Mapping[str, Any], name: str) -> list[str]:
    several = [str(one) for one in options.get(name) or ()]
    if len(several) > _MOST:
        raise UsageError("plan.bad-option", f"more than {_MOST} settings at once")
    return several


def _flag(text: str) -> tuple[str, str | None]:
    from console.compose.settings import FLAGS

    name, equals, value = text.strip().partition("=")
    if not _FLAG.fullmatch(name):
        raise _bad("a flag", text, "Such as --flag --preview-method=auto")
    if name in FLAGS:
        raise _of_card(name)
    if equals and not _FLAG_VALUE.fullmatch(value):
        raise _bad(f"the value of {name}", value, "One word of letters, digits and ./:,=@%+-_")
    if mask_arguments([name, value]) != (name, value) or mask_text(text) != text:
        raise _secret(name)
    return name, value if equals else None


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise _bad("a variable", text, "NAME=VALUE; --unset NAME takes one out")
    name = _name(name)
    if _CONTROL.search(value) or len(value) > _LONGEST_VALUE:
        raise _bad(f"the value of {name}", value, "One line of text")
    if mask_value(name, value) != value or mask_text(text) != text:
        raise _secret(name)
    return name, value


def _name(text: str) -> str:
    from console.compose.settings import CHOOSING

    if not _NAME.fullmatch(text):
        raise _bad("a name of a variable", text, "Letters, digits and _")
    if text in CHOOSING:
        raise _of_card(text)
    return text


def _bad(what: str, text: str, hint: str) -> UsageError:
    shown = mask_text(clean_line(text, 60))
    return UsageError("plan.bad-option", f"{shown!r} is not {what}", hint)


def _of_card(name: str) -> UsageError:
    return UsageError(
        "set.card", f"{name} says which card a service uses", "gpuconsole move SERVICE --gpu GPU"
    )


def _secret(name: str) -> UsageError:
    """Refuse what would be seen in the list of processes, and kept in the journal."""
    return UsageError(
        "set.secret",
        f"{name} reads like a secret: it would be seen by others",
        "Put it into .env or a file of env_file with an editor, then restart the service",
    )
