"""Textual's driver for terminals, that outlives odd keys and leaves when its terminal goes away."""

from textual.drivers.linux_driver import LinuxDriver


class PatientDriver(LinuxDriver):
    """Passes over what it cannot read as text, where Textual's own ends the program.

    A terminal set to Latin-1 sends one byte for an umlaut, and a noisy line sends anything.
    """

    def resume_application_mode(self) -> None:
        """Take the terminal again after a stop; do nothing where it was never given up.

        A terminal that hangs up sends SIGCONT after its SIGHUP. Taken for the end of a stop, that
        would start a second thread that reads keys, and the program would never end.
        """
        if self._key_thread is None or not self._key_thread.is_alive():
            super().resume_application_mode()

    def run_input_thread(self) -> None:
        """Read keys until the end; after bytes that are no UTF-8, go on with the next ones.

        What was read together with them is lost, which is a key or two.
        """
        while not self.exit_event.is_set():
            try:
                super().run_input_thread()
            except UnicodeDecodeError:
                continue
