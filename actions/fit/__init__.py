"""The VRAM pre-check: what a variant needs, what a card has, what follows, and the ways out."""
