"""Findings as JSON has them: a contract (`data.checks[]`, `data.findings[]`)."""

from typing import Any

import msgspec

from actions.runbook.finding import Finding
from actions.runbook.log_check import LogCheck
from console.units import format_bytes


def finding_data(one: Finding) -> dict[str, Any]:
    """Give a finding: `fix` as one text, its steps in `fix_steps`."""
    data: dict[str, Any] = msgspec.to_builtins(one)
    data["fix"] = "\n".join(one.fix)
    data["fix_steps"] = list(one.fix)
    data["fix_plan"] = data.pop("mend")
    for key in ("first_at", "last_at", "consequence_of", "plan"):
        data[key] = data[key] or None
    return data


def log_data(found: LogCheck) -> dict[str, Any]:
    """Give the answer of `doctor --log`."""
    diagnosis = found.diagnosis
    return {
        "checks": [
            {
                "id": "log",
                "state": _state(found),
                "title": title_of(found),
                "detail": detail_of(found),
                "seconds": found.seconds,
            }
        ],
        "findings": [finding_data(one) for one in diagnosis.findings],
        "telling": [msgspec.to_builtins(one) for one in diagnosis.telling],
        "lines": diagnosis.lines,
        "bytes": found.size,
        "left_out_bytes": found.left_out,
        "starts": diagnosis.starts,
        "up": diagnosis.up,
        "unavailable": [
            {"source": "runbook", "code": one.code, "title": one.title, "hint": one.hint}
            for one in found.problems
        ],
    }


def title_of(found: LogCheck) -> str:
    """Give in one line what a log shows."""
    diagnosis = found.diagnosis
    current = [one for one in diagnosis.findings if one.current and not one.consequence_of]
    if current:
        return current[0].title
    if diagnosis.telling:
        return "nothing that the runbook knows; these lines say most"
    if diagnosis.findings:
        return "nothing is wrong since the last start; what was before is listed"
    return "nothing is wrong in it, as far as the runbook knows"


def detail_of(found: LogCheck) -> str:
    """Give in one line what was read."""
    diagnosis = found.diagnosis
    words = [f"{diagnosis.lines} lines, {format_bytes(found.size)}"]
    if found.left_out:
        words.append(f"{format_bytes(found.left_out)} of its middle left out")
    if diagnosis.starts:
        words.append(f"{diagnosis.starts + 1} starts")
    if diagnosis.up:
        words.append("the last one came up")
    return ", ".join(words)


def _state(found: LogCheck) -> str:
    if found.bad:
        return "fail"
    current = any(one.current and one.severity != "info" for one in found.diagnosis.findings)
    return "warn" if current or found.diagnosis.telling else "pass"
