"""Where the cursor stays when the host changes under it: on the same thing, else on its place."""

from collections.abc import Sequence

from actions.snapshot import Alert
from screens.tui.rows import Rows
from screens.tui.view import FOLD, Anchor, View


def settle_container(view: View, rows: Rows) -> None:
    """Keep the cursor on its row; on one made anew under its name; else where it stood."""
    if not rows.items or not view.container:
        return
    keys = [item.key for item in rows.items]
    anchor = view.anchor
    if view.container not in keys and view.container != FOLD:
        # A recreated container has another id, and before it goes the old one loses its name:
        # so the name counts that it had when it was chosen.
        names = [item.name for item in rows.items]
        known = anchor.ident == view.container
        if known and anchor.name in names:
            view.container = keys[names.index(anchor.name)]
        elif known:
            view.container = rows.key(min(anchor.place, rows.lines - 1))
        else:
            view.container = rows.key(0)
    place = rows.place(view.container)
    name = anchor.name
    if anchor.ident != view.container:
        name = rows.items[place].name if place < len(keys) else ""
    view.anchor = Anchor(view.container, name, place)


def settle_alert(view: View, alerts: Sequence[Alert]) -> int:
    """Keep the cursor on its alert when newer ones come, and give its place."""
    keys = [alert_key(alert) for alert in alerts]
    if view.alert in keys:
        view.alert_place = keys.index(view.alert)
    elif keys:
        view.alert_place = min(view.alert_place, len(keys) - 1) if view.alert else 0
        if view.focus == "alerts":
            view.alert = keys[view.alert_place]
    else:
        view.alert_place = 0
    return view.alert_place


def alert_key(alert: Alert) -> str:
    """Give what tells an alert from all others for as long as it stands."""
    return f"{alert.id} {alert.subject_id or alert.subject}"
