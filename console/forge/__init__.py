"""The door to Stable Diffusion Forge, alone or behind the ai-dock image's front."""
