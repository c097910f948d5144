"""The engine's own sentences about a container's state, such as `Up 3 hours (healthy)`."""

from console.simulator.actor import Actor


def human(seconds: float) -> str:
    """Give a length of time in the engine's words (go-units, HumanDuration)."""
    whole = int(seconds)
    if whole < 1:
        return "Less than a second"
    if whole < 60:
        return "1 second" if whole == 1 else f"{whole} seconds"
    minutes = whole // 60
    if minutes < 60:
        return "About a minute" if minutes == 1 else f"{minutes} minutes"
    hours = int(seconds / 3600 + 0.5)
    if hours < 48:
        return "About an hour" if hours == 1 else f"{hours} hours"
    for limit, length, name in ((336, 24, "days"), (1440, 168, "weeks"), (17520, 720, "months")):
        if hours < limit:
            return f"{hours // length} {name}"
    return f"{int(seconds / 3600) // 24 // 365} years"


def status(actor: Actor, now: float) -> str:
    """Give the sentence that stands in `docker ps` (moby, container/state.go)."""
    ended = human(now - (actor.finished_at or 0.0))
    if actor.status == "restarting":
        return f"Restarting ({actor.exit_code}) {ended} ago"
    if actor.running:
        up = f"Up {human(now - (actor.started_at or 0.0))}"
        if actor.status == "paused":
            return f"{up} (Paused)"
        if actor.health is None:
            return up
        health = actor.health.status
        return f"{up} (health: starting)" if health == "starting" else f"{up} ({health})"
    if actor.status == "dead":
        return "Dead"
    if actor.started_at is None:
        return "Created"
    return f"Exited ({actor.exit_code}) {ended} ago"
