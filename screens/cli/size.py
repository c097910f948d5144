"""A size of pictures as it is typed."""

from typing import Any

import click


# Generic in newer clicks only, and not to be subscripted in older ones.
class Size(click.ParamType):  # type: ignore[type-arg]
    """Width and height in pixels, such as `1024x768`."""

    name = "WxH"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Give both; a wrong one is a mistake of usage."""
        sides = str(value).lower().split("x")
        if len(sides) != 2 or not all(side.isascii() and side.isdigit() for side in sides):
            self.fail("it is written as 1024x768", param, ctx)
        return int(sides[0][:6]), int(sides[1][:6])
