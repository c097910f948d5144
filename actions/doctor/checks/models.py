"""Checks of the model folders: whether they are there, and what is wrong with files in them."""

import os
import shlex
from collections.abc import Sequence
from functools import cache

import msgspec

from actions.doctor.check import Check, Result
from actions.doctor.ground import Ground
from actions.doctor.telling import from_runbook, result, said
from actions.models.model import Fix, Issue
from actions.runbook.entry import SEVERITIES
from actions.runbook.finding import Finding, Mend
from actions.session import Session
from console.packaged import read_table
from console.text import clean_line

_MOST = 30
_AS_PLANS = {"move": "move-file", "link": "link-file", "delete": "delete-file",
             "quarantine": "quarantine-file", "pull": "pull"}  # fmt: skip


class _Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    entry: str = ""
    severity: str = ""


def model_checks(_session: Session) -> Sequence[Check]:
    """Give the checks of the model folders."""
    return (Check("models.files", "models", "model files", _files, limit_seconds=8.0),)


def _files(ground: Ground, check: Check) -> Result:
    from actions.models.issues import issues

    inventory = ground.inventory
    if not inventory.roots:
        return result(check, "no models folder is set ([paths] models)")
    found = issues(inventory, ground.session.catalog)
    findings = [_finding(issue) for issue in found[:_MOST]]
    findings += [_gone(root.path) for root in inventory.roots if not _is_there(root.path)]
    more = f", {len(found) - _MOST} issues more" if len(found) > _MOST else ""
    return result(check, f"{len(inventory.files)} files{more}", findings)


def misplaced_file(ground: Ground, file_id: str) -> Finding | None:
    """Give the finding of a file that lies where nobody looks for it; None where there is none.

    Args:
        ground: whose model folders.
        file_id: of the catalogue.
    """
    from actions.models.issues import issues

    inventory = ground.inventory
    paths = {one.path for one in inventory.files if one.catalog_id == file_id}
    for issue in issues(inventory, ground.session.catalog) if paths else ():
        if issue.code == "wrong-folder" and paths.intersection(issue.paths):
            return _finding(issue)
    return None


def _is_there(path: str) -> bool:
    # The inventory has just asked these disks, each with a time limit: one that hangs hung there.
    return os.access(path, os.R_OK | os.X_OK)


def _gone(path: str) -> Finding:
    shown = clean_line(path, 200)
    return Finding(
        id="models.folder-gone",
        severity="error",
        subject=shown,
        title=f"A models folder cannot be read: {shown}",
        cause="It was moved, its disk is not mounted, or this user may not read it.",
        fix=("look whether the disk is mounted", "correct [paths] models in the config"),
        evidence=(said("disk", f"{shown} cannot be read"),),
    )


def _finding(issue: Issue) -> Finding:
    known = _table().get(issue.code, _Known())
    path = clean_line(issue.paths[0], 300) if issue.paths else ""
    name = path.rpartition("/")[2]
    evidence = (said("disk", f"{path}: {issue.title}"),)
    mend = _mend(issue.fixes[0]) if issue.fixes else None
    if known.entry:
        found = from_runbook(known.entry, name, evidence, path=path, value=name)
        return msgspec.structs.replace(found, mend=mend, title=f"{found.title}: {name}")
    severity = known.severity or ("info" if issue.severity == "note" else issue.severity)
    return Finding(
        id=f"models.{issue.code}",
        severity=severity if severity in SEVERITIES else "info",
        subject=name,
        title=f"{name}: {issue.title}",
        cause=issue.hint,
        fix=tuple(one.title for one in issue.fixes[:3]),
        evidence=evidence,
        mend=mend,
    )


def _mend(fix: Fix) -> Mend | None:
    verb = _AS_PLANS.get(fix.verb)
    if verb is None:
        return None
    options = {"to": fix.to} if fix.to else {}
    command = f"gpuconsole models {'pull' if verb == 'pull' else 'fix'} {shlex.quote(fix.path)}"
    return Mend(
        verb=verb, target=fix.path, options=options, title=fix.title, command=clean_line(command)
    )


@cache
def _table() -> dict[str, _Known]:
    return msgspec.convert(read_table("doctor_models.toml")["issues"], dict[str, _Known])
