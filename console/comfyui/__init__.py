"""The door to ComfyUI, versions 0.3 to 0.33."""
