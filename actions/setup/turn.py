"""Whose turn it is: of several setups on one host, one at a time does something."""

import os
import socket

from actions.session import Session
from console.store.locks import Held, Holder, LockFolder, Taken
from console.unknown import iso_time

_LOCK = "setup"


def take_turn(session: Session, step: str) -> Held | None:
    """Give the turn to do a step, until it is released; None while another setup has it."""
    asker = session.asker("cli")
    holder = Holder(
        pid=os.getpid(),
        user=asker.user,
        host=socket.gethostname(),
        plan_id="",
        since=iso_time(session.clock.now()),
        what=f"setup, {step}",
    )
    got = LockFolder(session.places).acquire([_LOCK], holder)
    return None if isinstance(got, Taken) else got
