"""What a step says that needs a ComfyUI, while there is none."""

from actions.setup.report import Look

NO_COMFYUI = Look(
    state="blocked",
    detail="there is no ComfyUI yet: the step comfyui makes one",
    commands=("take the step comfyui up again",),
)
