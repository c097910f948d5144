"""Model files: the catalogue of what there is, and which of them lie on this host's disks."""
