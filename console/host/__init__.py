"""Facts about the host itself: platform, kernel, memory, disks."""
