"""Forge and ComfyUI as they answer: on the stage of a rehearsal, or alone (`python -m` this).

Nothing here needs more than Python and aiohttp, so that a bare container can run it.
"""
