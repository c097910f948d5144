"""Fetching: real parts on real disks, real kills, a hub that counts its bytes."""
