"""Tests of tidying up: real files, real links, real disks."""
