"""The device requests of a compose service, and how they are changed to one card."""

from typing import NamedTuple

from console.compose.faults import ComposeError
from console.compose.settings import DEVICES
from console.compose.tree import Change, Node, Tree, is_mapping, is_scalar, is_sequence


class DeviceChange(NamedTuple):
    """A change, the nodes it touches, the setting's name, and what it does in words."""

    change: Change
    nodes: list[Node]
    what: str
    words: str


def device_changes(tree: Tree, service: Node, uuid: str) -> list[DeviceChange] | None:
    """Give what makes a service's request for cards one for this card; None where it has none.

    Raises:
        ComposeError: it has several, or one that cannot be read.
    """
    found = tree.find(service, *DEVICES)
    what = ".".join(DEVICES)
    if found is None:
        found, what = tree.find(service, "gpus"), "gpus"
        if found is None:
            return None
        if is_scalar(found.value):
            return _of_all(tree, found.value, uuid)
    entries = found.value.value if is_sequence(found.value) else []
    mine = [one for one in entries if is_mapping(one) and (what == "gpus" or _is_gpu(tree, one))]
    if not mine:
        return None
    if len(mine) > 1:
        title = f"{what} (line {tree.line_of(found.key)}) asks for cards more than once"
        raise ComposeError("compose.unsafe", title, "Leave one request, or set the card by hand")
    return _of_request(tree, mine[0], what, uuid)


def _of_all(tree: Tree, value: Node, uuid: str) -> list[DeviceChange]:
    """Change `gpus: all`."""
    start, end = tree.raw(value)
    change = Change(start, end, f'[{{driver: nvidia, device_ids: ["{uuid}"]}}]')
    return [DeviceChange(change, [value], "gpus", f"gpus: {value.value} becomes {uuid}")]


def _of_request(tree: Tree, request: Node, what: str, uuid: str) -> list[DeviceChange]:
    ids = tree.find(request, "device_ids")
    if ids is not None:
        return _of_ids(tree, ids.value, what, uuid)
    count = tree.find(request, "count")
    if count is not None and is_scalar(count.value):
        key, end = tree.raw(count.key)[0], tree.raw(count.value)[1]
        words = f"{what}: count {count.value.value} becomes device_ids {uuid}"
        change = Change(key, end, f'device_ids: ["{uuid}"]')
        return [DeviceChange(change, [count.key, count.value], what, words)]
    change = tree.added(request, [f'device_ids: ["{uuid}"]'])
    return [DeviceChange(change, [request], what, f"{what}: device_ids is set to {uuid}")]


def _of_ids(tree: Tree, ids: Node, what: str, uuid: str) -> list[DeviceChange]:
    items = list(ids.value) if is_sequence(ids) else []
    if not items or not all(is_scalar(item) for item in items):
        title = f"device_ids (line {tree.line_of(ids)}) is no list of cards"
        raise ComposeError("compose.unsafe", title, "Correct the compose file")
    if [str(item.value) for item in items] == [uuid]:
        return []
    if any("$" in str(item.value) for item in items):
        title = f"device_ids (line {tree.line_of(ids)}) comes from a variable: {items[0].value}"
        raise ComposeError(
            "compose.elsewhere", title, "Change it there, or write the value into the compose file"
        )
    before = ", ".join(str(item.value) for item in items)
    start, end = tree.raw(items[0])[0], tree.raw(items[-1])[1]
    quote = tree.text[start] if tree.text[start] in "\"'" else '"'
    words = f"{what}: device_ids {before} becomes {uuid}"
    return [DeviceChange(Change(start, end, f"{quote}{uuid}{quote}"), [ids, *items], what, words)]


def _is_gpu(tree: Tree, request: Node) -> bool:
    """Tell a request for cards from one for something else."""
    driver = tree.find(request, "driver")
    if driver is not None and driver.value.value == "nvidia":
        return True
    found = tree.find(request, "capabilities")
    entries = found.value.value if found is not None and is_sequence(found.value) else []
    flat = [item for entry in entries for item in (entry.value if is_sequence(entry) else [entry])]
    return any(is_scalar(item) and str(item.value) in {"gpu", "nvidia"} for item in flat)
