"""Tests of edits: the clients of both kinds of service, and what the rehearsal answers them."""
