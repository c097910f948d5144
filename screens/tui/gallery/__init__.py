"""The gallery: every edit that was kept, its pictures and its recipe."""
