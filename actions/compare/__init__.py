"""The same edit over variants, seeds and steps: what each takes on this card, and which to use."""
