"""The bytes of a file in ranges, from a hub that misbehaves in each way it can."""

import threading
from collections.abc import Callable

import pytest

from console.hub.door import HubDoor
from console.hub.facts import HubFile
from console.hub.faults import HubFault
from console.hub.source import HubSource
from tests.hub.conftest import LARGE, SPEC
from tests.support.hub import EVERYTHING, RehearsalHub
from tests.support.waiting import wait_until

OpenDoor = Callable[..., HubDoor]


def whole() -> bytes:
    data = bytearray()
    while len(data) < LARGE.size:
        data += LARGE.piece(len(data), LARGE.size)
    return bytes(data)


WHOLE = whole()


def read(source: HubSource, start: int, stop: int) -> tuple[int, bytes]:
    with source.open(start, stop) as body:
        return body.start, b"".join(body.pieces())


def fault_of(source: HubSource, start: int = 0, stop: int = LARGE.size) -> HubFault:
    with pytest.raises(HubFault) as caught:
        read(source, start, stop)
    return caught.value


def test_ranges_come_whole_over_one_signed_address(
    door: HubDoor, file: HubFile, hub: RehearsalHub
) -> None:
    source = door.source(file)
    assert read(source, 0, LARGE.size) == (0, WHOLE)
    assert read(source, 5, 5) == (0, b"")
    assert read(source, 1_000_001, 1_000_002) == (1_000_001, WHOLE[1_000_001:1_000_002])
    assert read(source, LARGE.size - 7, LARGE.size) == (LARGE.size - 7, WHOLE[-7:])
    resolved = [asked for asked in hub.requests if asked.where == "hub" and asked.method == "GET"]
    assert len(resolved) == 1
    assert file.commit in resolved[0].path


def test_several_connections_share_the_address_and_the_token_stays_at_the_hub(
    open_door: OpenDoor, hub: RehearsalHub
) -> None:
    door = open_door(HF_TOKEN=EVERYTHING)
    source = door.source(door.file(SPEC))
    size = LARGE.size // 6
    got: dict[int, bytes] = {}

    def work(number: int) -> None:
        got[number] = read(source, number * size, (number + 1) * size)[1]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert b"".join(got[number] for number in range(6)) == WHOLE[: 6 * size]
    at_hub = [asked for asked in hub.requests if asked.where == "hub"]
    at_cdn = [asked for asked in hub.requests if asked.where == "cdn"]
    assert all(asked.token for asked in at_hub)
    assert not any(asked.token for asked in at_cdn)
    assert sum(asked.method == "GET" for asked in at_hub) == 1


def test_an_address_that_has_expired_is_asked_for_again(
    door: HubDoor, file: HubFile, hub: RehearsalHub
) -> None:
    source = door.source(file)
    read(source, 0, 10)
    hub.fault("expired")
    assert read(source, 10, 20)[1] == WHOLE[10:20]
    hub.fault("brief", seconds=0)
    hub.fault("expired")
    error = fault_of(source)
    assert (error.code, error.passing) == ("hub.address-expired", True)
    hub.heal()
    assert read(source, 20, 30)[1] == WHOLE[20:30]


@pytest.mark.parametrize(
    ("kind", "facts", "code", "passing"),
    [
        ("cut", {"after": 1_000}, "hub.cut", True),
        ("reset", {"after": 1_000}, "hub.cut", True),
        ("error", {"where": "cdn"}, "hub.server-error", True),
        ("error", {"where": "hub", "status": 503}, "hub.server-error", True),
        ("rate-limit", {"where": "cdn", "retry_after": 3}, "hub.rate-limited", True),
        ("html", {}, "hub.web-page", True),
        ("other-range", {"by": 5}, "hub.odd-answer", True),
        ("short", {"by": 5}, "hub.changed", False),
        ("down", {}, "hub.unreachable", True),
        ("gone", {}, "hub.no-token", False),
        ("private", {}, "hub.no-token", False),
        ("gated", {}, "hub.no-token", False),
    ],
)
def test_what_goes_wrong_is_named_and_the_next_try_goes_well(
    door: HubDoor,
    file: HubFile,
    hub: RehearsalHub,
    kind: str,
    facts: dict[str, int],
    code: str,
    passing: bool,
) -> None:
    source = door.source(file)
    hub.fault(kind, **facts)
    error = fault_of(source, 1, LARGE.size)
    assert (error.code, error.passing) == (code, passing)
    assert error.title.isprintable()
    assert kind != "rate-limit" or error.retry_after == 3
    hub.heal()
    assert read(source, 1, 100) == (1, WHOLE[1:100])


def test_a_repository_that_asks_for_a_login_now_wants_the_token_back(
    open_door: OpenDoor, hub: RehearsalHub
) -> None:
    door = open_door(HF_TOKEN=EVERYTHING)
    source = door.source(door.file(SPEC))
    hub.fault("revoked")
    error = fault_of(source)
    assert (error.code, error.needs_token) == ("hub.token-wrong", True)


def test_bytes_of_the_commit_come_although_main_has_moved_on(
    door: HubDoor, file: HubFile, hub: RehearsalHub
) -> None:
    source = door.source(file)
    hub.fault("changed", path=SPEC.path)
    assert read(source, 0, LARGE.size)[1] == WHOLE
    hub.fault("changed", path=SPEC.path, forget=True)
    hub.fault("expired")
    error = fault_of(source)
    assert (error.code, error.passing) == ("hub.changed", False)
    assert "its commit is gone" in error.title


def test_a_hub_that_ignores_ranges_says_so_by_its_first_byte(
    door: HubDoor, file: HubFile, hub: RehearsalHub
) -> None:
    hub.fault("no-ranges")
    assert read(door.source(file), 1_000_000, 1_000_100) == (0, WHOLE)


def test_what_the_hub_says_otherwise_than_before_is_no_longer_that_file(
    door: HubDoor, file: HubFile
) -> None:
    import msgspec

    for wrong in ({"sha256": "0" * 64}, {"size": LARGE.size + 1}):
        other = msgspec.structs.replace(file, **wrong)
        assert fault_of(door.source(other), 0, 10).code == "hub.changed"


def test_a_body_that_stands_still_is_cut_from_another_thread(
    door: HubDoor, file: HubFile, hub: RehearsalHub
) -> None:
    source = door.source(file)
    hub.fault("stall", after=100_000, seconds=60.0, times=1)
    got: list[int] = []
    errors: list[HubFault] = []

    def work() -> None:
        try:
            with source.open(0, LARGE.size) as body:
                got.extend(len(piece) for piece in body.pieces())
        except HubFault as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: sum(got) >= 100_000)
    source.abandon()
    thread.join(5)
    assert not thread.is_alive()
    assert (errors[0].code, errors[0].passing) == ("hub.cut", True)
    hub.heal()
    assert read(source, 0, 10)[1] == WHOLE[:10]


def test_closing_the_door_cuts_what_is_open(
    door: HubDoor, file: HubFile, hub: RehearsalHub
) -> None:
    source = door.source(file)
    hub.fault("stall", after=10, seconds=60.0)
    with source.open(0, LARGE.size) as body:
        pieces = body.pieces()
        assert next(pieces)
        door.close()
        with pytest.raises(HubFault) as caught:
            next(pieces)
    assert caught.value.code == "hub.cut"
