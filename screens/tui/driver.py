"""Textual's driver for terminals, that outlives keys of terminals that do not speak UTF-8."""

from textual.drivers.linux_driver import LinuxDriver


class PatientDriver(LinuxDriver):
    """Passes over what it cannot read as text, where Textual's own ends the program.

    A terminal set to Latin-1 sends one byte for an umlaut, and a noisy line sends anything.
    """

    def run_input_thread(self) -> None:
        """Read keys until the end; after bytes that are no UTF-8, go on with the next ones.

        What was read together with them is lost, which is a key or two.
        """
        while not self.exit_event.is_set():
            try:
                super().run_input_thread()
            except UnicodeDecodeError:
                continue
