"""The rehearsed proxy: the way in from outside to a service, with what goes wrong on it."""
