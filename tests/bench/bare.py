"""A bare Textual app that shows one figure each second: what any Textual program costs."""

from textual.app import App, ComposeResult
from textual.reactive import reactive
from textual.widget import Widget


class Figure(Widget):
    """One number that changes each second, on a line of its own."""

    DEFAULT_CSS = "Figure { height: 1; width: 40; }"
    value = reactive(0)

    def render(self) -> str:
        """Give the line that is drawn."""
        return f"bare app, figure {self.value}"


class Bare(App[None]):
    """The smallest app with something live on it."""

    def compose(self) -> ComposeResult:
        """Give the one widget."""
        yield Figure()

    def on_mount(self) -> None:
        """Tick once a second."""
        self.set_interval(1, self.tick)

    def tick(self) -> None:
        """Count on."""
        self.query_one(Figure).value += 1


if __name__ == "__main__":
    Bare().run()
