"""An examination as JSON has it: a contract (`data.checks[]`, `data.findings[]`)."""

from typing import Any

from actions.doctor.check import Examination
from actions.runbook.listing import finding_data


def examination_data(whole: Examination) -> dict[str, Any]:
    """Give the answer of `doctor`."""
    return {
        "checks": [
            {
                "id": one.id,
                "group": one.group,
                "state": one.state,
                "title": one.title,
                "detail": one.detail,
                "seconds": one.seconds,
            }
            for one in whole.results
        ],
        "findings": [finding_data(one) for one in whole.findings],
        "seconds": whole.seconds,
    }
