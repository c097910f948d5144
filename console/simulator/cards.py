"""What the driver says at a moment of the scene: each card's figures from who computes on it."""

import math

from console.simulator.driver_table import CardTable, DriverTable, TableProcess
from console.simulator.scene import GIB, MIB, CardSpec
from console.simulator.stage import Stage

_POWER_CAP, _THERMAL = 0x4, 0x20
_IDLE = 0x1
_WARMING = 45.0
"""Seconds after which a card has made two thirds of the way to its new temperature."""

_LOOKS_BACK = 12
_HOT = 84


class Faults:
    """What is wrong with the driver and its cards right now, beside what the scene says."""

    def __init__(self, stage: Stage) -> None:
        self.init = stage.scene.driver.fault
        self.hang: dict[str, float] = {}
        self.cards = [dict(card.faults) for card in stage.scene.cards]
        self.hangs = [dict(card.hangs) for card in stage.scene.cards]


def driver_table(stage: Stage, faults: Faults) -> DriverTable:
    """Give what the driver answers at the stage's present moment."""
    scene = stage.scene
    return DriverTable(
        driver_version=scene.driver.version,
        nvml_version=scene.driver.nvml_version,
        cuda_version=scene.driver.cuda_version,
        flavour="native" if scene.host.flavour == "native" else "wsl",
        cards=tuple(
            _card(stage, index, card, faults.cards[index], faults.hangs[index])
            for index, card in enumerate(scene.cards)
        ),
        faults={"init": faults.init} if faults.init else {},
        hangs=faults.hang,
    )


def _card(
    stage: Stage, index: int, card: CardSpec, faults: dict[str, str], hangs: dict[str, float]
) -> CardTable:
    load = _load(stage, index, stage.now)
    busy = _wobbled(stage, index, load)
    total = int(card.memory * GIB)
    reserved = card.reserved * MIB
    warmth = _warmth(stage, index)
    low, high = card.temperature
    degrees = round(low + (high - low) * warmth) + card.heat
    power = _power(card, busy)
    throttle = _throttle(card, busy, degrees)
    active = busy > 0 or _held(stage, index) > 0
    return CardTable(
        uuid=card.uuid,
        name=card.name,
        pci_bus_id=card.pci_bus_id,
        compute_capability=card.compute_capability,
        multiprocessors=card.multiprocessors,
        max_clock_graphics=card.clocks[1] + 240,
        memory_total=total,
        memory_used=used_bytes(stage, index),
        memory_reserved=reserved,
        utilization=busy,
        memory_utilization=busy * 6 // 10,
        temperature=degrees,
        power_mw=power,
        power_limit_mw=round(card.power[1] * 1000),
        clock_graphics=_clock(card.clocks, busy, throttle),
        clock_memory=card.memory_clocks[1 if active else 0],
        fan=_fan(degrees) if card.fan else None,
        throttle=throttle,
        pcie_generation=card.pcie_generation if active else 1,
        pcie_width=card.pcie_width,
        ecc=None if card.ecc is None else int(card.ecc),
        ecc_errors=0 if card.ecc else None,
        pstate=2 if active else 8,
        processes=_processes(stage, index),
        faults=faults,
        hangs=hangs,
    )


def _load(stage: Stage, index: int, at: float) -> float:
    moments = (actor.moment(at) for actor in stage.actors.values() if actor.spec.card == index)
    return min(100.0, sum(moment.gpu for moment in moments if moment))


def _held(stage: Stage, index: int) -> int:
    moments = (a.moment(stage.now) for a in stage.actors.values() if a.spec.card == index)
    return sum(moment.vram_bytes for moment in moments if moment)


def used_bytes(stage: Stage, index: int) -> int:
    """Give a card's VRAM in use in whole MiB, as the driver hands it out."""
    card = stage.scene.cards[index]
    desktop = card.desktop * (1 + 0.04 * _tide(stage, index))
    left = sum(remains.held for remains in stage.remains if remains.card == index)
    used = (int(desktop * GIB) + _held(stage, index) + left) // MIB * MIB
    return min(used, int(card.memory * GIB) - card.reserved * MIB)


def _tide(stage: Stage, index: int) -> float:
    """Give a slow, small movement between -1 and 1, new every five seconds."""
    return 2 * stage.chance("tide", index, int(stage.now // 5)) - 1


def _wobbled(stage: Stage, index: int, load: float) -> int:
    if load <= 0:
        return 0
    wobble = (stage.chance("load", index, math.floor(stage.now)) - 0.5) * min(8.0, load * 0.3)
    return max(0, min(100, round(load + wobble)))


def _warmth(stage: Stage, index: int) -> float:
    """Give how warm the card is between rest and full load: the load of the last minutes, faded."""
    step = _WARMING / 4
    base = math.floor(stage.now / 2) * 2
    weights = [math.exp(-number * step / _WARMING) for number in range(_LOOKS_BACK)]
    loads = [_load(stage, index, base - number * step) for number in range(_LOOKS_BACK)]
    together = sum(weight * load for weight, load in zip(weights, loads, strict=True))
    return together / sum(weights) / 100


def _power(card: CardSpec, busy: int) -> int:
    rest, full = card.power
    return round(min(full, rest + (full * 1.02 - rest) * math.pow(busy / 100, 0.8)) * 1000)


def _throttle(card: CardSpec, busy: int, degrees: int) -> int:
    mask = card.throttle
    if busy == 0:
        mask |= _IDLE
    if busy >= 94:
        mask |= _POWER_CAP
    if degrees >= _HOT:
        mask |= _THERMAL
    return mask


def _clock(clocks: tuple[int, int], busy: int, throttle: int) -> int:
    low, high = clocks
    if busy == 0:
        return low
    slowed = 0.85 if throttle & _THERMAL else 0.95 if throttle & _POWER_CAP else 1.0
    return round(high * slowed / 15) * 15


def _fan(degrees: int) -> int:
    return 0 if degrees < 50 else min(100, 30 + (degrees - 50) * 2)


def _processes(stage: Stage, index: int) -> tuple[TableProcess, ...]:
    """Give the processes as the platform does: on WSL2 the driver knows none of them."""
    if stage.scene.host.flavour != "native":
        return ()
    found = []
    for actor in stage.actors.values():
        moment = actor.moment(stage.now) if actor.spec.card == index and actor.alive else None
        if moment and moment.vram_bytes:
            used = moment.vram_bytes // MIB * MIB
            found.append(TableProcess(actor.gpu_pid, "compute", used))
    left = (remains for remains in stage.remains if remains.card == index)
    dead = (TableProcess(each.pid, "compute", each.held // MIB * MIB) for each in left)
    return (*found, *dead)
