"""All checks there are: those that every host has, and those of what was found on it."""

from collections.abc import Sequence

from actions.doctor.check import Check
from actions.doctor.ground import Ground
from actions.session import Session


def first_checks(session: Session) -> Sequence[Check]:
    """Give the checks that need not know what runs on the host."""
    from actions.doctor.checks.driver import driver_checks
    from actions.doctor.checks.engine import engine_checks
    from actions.doctor.checks.host import host_checks
    from actions.doctor.checks.models import model_checks
    from actions.doctor.checks.security import security_checks

    return (
        *host_checks(session),
        *driver_checks(session),
        *engine_checks(session),
        *model_checks(session),
        *security_checks(session),
    )


def later_checks(ground: Ground) -> Sequence[Check]:
    """Give the checks of containers and services that were found."""
    from actions.doctor.checks.containers import container_checks
    from actions.doctor.checks.outside import outside_checks
    from actions.doctor.checks.services import service_checks

    return (*container_checks(ground), *service_checks(ground), *outside_checks(ground))
