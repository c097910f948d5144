"""Tests of plans: what they promise, how they run, how they are taken back."""
