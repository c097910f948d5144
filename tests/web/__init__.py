"""Tests of the HTTP client against real servers on loopback, the nasty ones among them."""
