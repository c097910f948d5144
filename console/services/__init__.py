"""What services say of themselves: readings by their own API and by their start log."""
