"""One flag or variable of a compose service: put in, changed or taken out."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from console.compose.editing import REFERENCE, Gathering, from_elsewhere, quoted, unsafe
from console.compose.entries import taken_out
from console.compose.faults import ComposeError
from console.compose.flags import Carrier, FlagSpot, carriers_of, spots_in, text_in
from console.compose.outside import Outside
from console.compose.settings import unquoted, variables_of
from console.compose.tree import Change, Found, Tree, is_mapping, is_scalar, is_sequence, pairs
from console.engine.snapshot import ARGUMENT_NAMES
from console.text import clean_line

_OPERATOR = re.compile(r"[;&|<>`]")
_DEFAULT = re.compile(r":?[-+?]")
_GAP_BEFORE = re.compile(r"(?:\s|\\\r?\n)+\Z")
_GAP_BEHIND = re.compile(r"(?:[ \t]|\\\r?\n)+")


class Order(NamedTuple):
    """What is to be done: `remove` or `put` a flag, `assign` or `unset` a variable."""

    do: str
    name: str
    value: str | None = None


class OneSetting(Gathering):
    """The changes of one order in one text."""

    def __init__(self, tree: Tree, service: str, outside: Outside | None, order: Order) -> None:
        super().__init__(tree, service, outside)
        self.subject = order.name
        self._order = order

    def gather(self) -> None:
        """Gather the changes; none where it is so already.

        Raises:
            ComposeError: it cannot be changed here.
        """
        if self.outside is not None and self.outside.overrides:
            raise from_elsewhere(self.service, self.subject, f"{self.outside.overrides[0]} too")
        name, value = self._order.name, self._order.value
        match self._order.do:
            case "remove":
                self._remove(name)
            case "put":
                self._put(name, value)
            case "unset":
                self._unset(name)
            case _:
                self._give(name, value or "")
        if self.added:
            self.add(self.added)

    # ------------------------------------------------------------------------------------- flags

    def _spots(self, flag: str) -> list[FlagSpot]:
        carriers = carriers_of(self.tree, self.node)
        return [spot for one in carriers for spot in spots_in(self.tree, one, flag)]

    def _remove(self, flag: str) -> None:
        """Take the first of a flag's places out; whoever asks again gets the next."""
        spots = self._spots(flag)
        if not spots:
            self._refuse_hidden(flag)
            return
        spot = spots[0]
        self._refuse_bound(spot)
        shown = flag if spot.value is None else f"{flag} {spot.value}"
        words = f"{spot.where}: {shown} is taken out"
        if spot.holder is not None:
            self.refuse_shared([spot.holder], spot.where)
            changes = taken_out(self.tree, spot.holder, spot.items)
            self.changes += changes
            self.words += [words] * len(changes)
            return
        self.refuse_shared([spot.node], spot.where)
        self.note(self._without(spot), words)

    def _without(self, spot: FlagSpot) -> Change:
        """Give the change that takes a flag out of a text, with the gap before it."""
        text = self.tree.text
        start, end = spot.start, spot.end
        first, last = unquoted(self.tree, spot.node)
        gap = _GAP_BEFORE.search(text, first, start)
        behind = _GAP_BEHIND.match(text, end, last)
        if gap is not None:
            start = gap.start()
        elif behind is not None:
            end = behind.end()
        plain = spot.node.style is None and (start, end) == (first, last)
        # A plain value that is empty would be null: as whoever runs compose has it.
        return Change(start, end, '""' if plain else "")

    def _put(self, flag: str, value: str | None) -> None:
        """Put a flag in, or give the one that is there its value."""
        spots = self._spots(flag)
        if not spots:
            self._refuse_hidden(flag)
            self._append(flag, value)
            return
        for spot in spots:
            if value is not None and spot.value != value:
                self._revalue(spot, value)
                return

    def _revalue(self, spot: FlagSpot, value: str) -> None:
        self._refuse_bound(spot)
        self.refuse_shared([spot.holder or spot.node], spot.where)
        words = f"{spot.where}: {spot.name} {spot.value or '(no value)'} becomes {value}"
        if spot.value is not None:
            if len(spot.items) > 2:
                raise unsafe(self, f"{spot.name} has several values there")
            self.note(Change(spot.value_start, spot.value_end, value), words)
        elif spot.holder is None:
            self.note(Change(spot.value_end, spot.value_end, f" {value}"), words)
        else:
            # As one word, so that nothing has to be put between two items.
            self.note(Change(spot.value_end, spot.value_end, f"={value}"), words)

    def _append(self, flag: str, value: str | None) -> None:
        carrier = self._carrier()
        self.refuse_shared([carrier.node], carrier.where)
        inner = text_in(self.tree, carrier) if carrier.is_list else carrier
        shown = flag if value is None else f"{flag} {value}"
        words = f"{carrier.where}: {shown} is added"
        if inner is not None:
            self.note(self._behind(inner, shown), words)
            return
        entries = [quoted(flag)] if value is None else [quoted(flag), quoted(value)]
        if not carrier.node.flow_style:
            self.note(self.tree.added(carrier.node, entries), words)
            return
        last = carrier.node.value[-1] if carrier.node.value else None
        if last is None:
            self.note(self.tree.added(carrier.node, entries), words)
            return
        at = self.tree.raw(last)[1]
        self.note(Change(at, at, "".join(f", {one}" for one in entries)), words)

    def _behind(self, carrier: Carrier, shown: str) -> Change:
        """Give the change that adds to a text: behind its last flag, else at its end."""
        text = self.tree.text
        spots = [one for one in spots_in(self.tree, carrier) if not one.bound]
        rest = text[carrier.start : carrier.end]
        if spots:
            return Change(spots[-1].end, spots[-1].end, f" {shown}")
        if _OPERATOR.search(rest.lstrip("|>")):
            raise unsafe(self, f"{carrier.where} is more than one command")
        if carrier.node.style is None and rest in {'""', "''"}:
            return Change(carrier.start, carrier.end, shown)
        return Change(carrier.end, carrier.end, f" {shown}" if rest.strip() else shown)

    def _carrier(self) -> Carrier:
        """Give where a flag goes that is nowhere yet: where others are, else where some may be."""
        carriers = carriers_of(self.tree, self.node)
        with_flags = [one for one in carriers if spots_in(self.tree, one)]
        texts = [one for one in carriers if one.where in ARGUMENT_NAMES or one.where == "command"]
        chosen = next(iter((*with_flags, *texts)), None)
        if chosen is None:
            raise ComposeError(
                "compose.no-flags",
                f"nothing in the compose file carries flags of {self.service}",
                "Give it a command, or a variable such as CLI_ARGS or FORGE_ARGS, with --env",
            )
        return chosen

    def _refuse_bound(self, spot: FlagSpot) -> None:
        if spot.bound:
            raise self.elsewhere(f"{spot.name} in {spot.where}", spot.value or "${…}")

    def _refuse_hidden(self, flag: str) -> None:
        """Refuse where a flag that is not there itself comes from elsewhere."""
        if self.outside is None:
            return
        own = variables_of(self.tree, self.node)
        known = re.compile(rf"(?<![\w-]){re.escape(flag)}(?![\w-])")
        for name, setting in self.outside.environment.items():
            if name in ARGUMENT_NAMES and name not in own and known.search(setting.value):
                raise from_elsewhere(self.service, flag, setting.where)
        for where, text in self._texts():
            for match in REFERENCE.finditer(text.replace("$$", "")):
                setting_of = self.variable(match[1] or match[2])
                inside = known.search(_DEFAULT.sub(" ", match[0], count=1))
                if inside or (setting_of is not None and known.search(setting_of.value)):
                    raise self.elsewhere(f"{flag} in {where}", match[0])

    def _texts(self) -> list[tuple[str, str]]:
        from console.compose.settings import texts_of

        return list(texts_of(self.tree, self.node, ARGUMENT_NAMES))

    # --------------------------------------------------------------------------------- variables

    def _give(self, name: str, value: str) -> None:
        """Give a variable of the environment a value; a sign that compose reads is doubled."""
        written = value.replace("$", "$$")
        variable = variables_of(self.tree, self.node).get(name)
        if variable is None:
            self.added.append((name, written))
            return
        if variable.value == written:
            return
        before = "nothing" if variable.value is None else variable.value or "empty"
        words = f"{name}: {before} becomes {value or 'empty'}"
        found = self._entry(name)
        if found is not None:
            if found.holder is not self._environment() and self.tree.others(
                self.service, [found.holder]
            ):
                # What others are told too stays as it is: its own counts before what is merged.
                self.added.append((name, written))
                return
            self.refuse_shared([found.value, found.holder], name)
            self.note(self._rewritten(found, written), words)
            return
        self.refuse_shared([variable.node], name)
        start, end = self.tree.raw(variable.node)
        self.note(Change(start, end, quoted(f"{name}={written}")), words)

    def _rewritten(self, found: Found, written: str) -> Change:
        """Give the change of a mapping's value."""
        if not is_scalar(found.value):
            raise unsafe(self, "its value is no text")
        if found.value.start_mark.index == found.value.end_mark.index:
            colon = self.tree.text.index(":", found.key.end_mark.index) + 1
            return Change(colon, colon, f" {quoted(written)}")
        if found.value.start_mark.index < found.key.end_mark.index:
            raise unsafe(self, "its value is an alias of something elsewhere")
        start, end = self.tree.raw(found.value)
        after = self.tree.text[end : end + 1]
        return Change(start, end, quoted(written) + (" " if after == "#" else ""))

    def _unset(self, name: str) -> None:
        variable = variables_of(self.tree, self.node).get(name)
        if variable is None:
            setting = self.outside.environment.get(name) if self.outside else None
            if setting is not None:
                raise from_elsewhere(self.service, name, setting.where)
            return
        environment = self._environment()
        found = self._entry(name)
        if found is not None and found.holder is not environment:
            raise unsafe(self, "it is merged in from a part that more than it may use")
        self.refuse_shared([environment], "environment")
        place = _place_in(environment, name)
        changes = taken_out(self.tree, environment, [place])
        self.changes += changes
        self.words += [f"{name} is taken out"] * len(changes)

    def _environment(self) -> object:
        found = self.tree.find(self.node, "environment")
        return None if found is None else found.value

    def _entry(self, name: str) -> Found | None:
        """Give a variable's entry where the environment is a mapping."""
        environment = self._environment()
        entries: Sequence[Found] = (
            tuple(pairs(environment)) if environment and is_mapping(environment) else ()
        )
        return next((one for one in entries if str(one.key.value) == name), None)


def _place_in(environment: object, name: str) -> int:
    """Give the place of a variable among the entries of an environment."""
    entries: list[object] = list(getattr(environment, "value", ()))
    for place, entry in enumerate(entries):
        node = entry[0] if isinstance(entry, tuple) else entry
        text = str(getattr(node, "value", ""))
        if (text.partition("=")[0] if is_sequence(environment) else text) == name:
            return place
    raise ComposeError("compose.unsafe", f"{clean_line(name, 60)} stands elsewhere")
