"""What a container's settings say about cards: requests, runtime, variables, arguments."""

from collections.abc import Mapping
from typing import Any

from console.engine.snapshot import ARGUMENT_NAMES, DeviceRequest, GpuDeclaration
from console.engine.values import integer, items, mapping, text, texts
from console.mask import mask_arguments, mask_environment

# Only these leave the engine door; everything else in an environment may be a secret.
GPU_VARIABLES = frozenset(
    {
        "NVIDIA_VISIBLE_DEVICES",
        "NVIDIA_DRIVER_CAPABILITIES",
        "CUDA_VISIBLE_DEVICES",
        "CUDA_DEVICE_ORDER",
        "GPU_DEVICE_ID",
        *ARGUMENT_NAMES,
    }
)
_CDI_VENDOR = "nvidia.com/gpu="


def declaration(inspected: Mapping[str, Any]) -> GpuDeclaration:
    """Give everything in an inspect answer that says which card the container should use."""
    host = mapping(inspected.get("HostConfig"))
    config = mapping(inspected.get("Config"))
    asked = (_request(mapping(item)) for item in items(host.get("DeviceRequests")))
    return GpuDeclaration(
        requests=tuple(request for request in asked if _is_gpu(request)),
        runtime=text(host.get("Runtime"), 200),
        environment=mask_environment(_variables(config.get("Env"))),
        arguments=mask_arguments(_arguments(inspected, config)),
    )


def _request(told: Mapping[str, Any]) -> DeviceRequest:
    options = (texts(option, 200) for option in items(told.get("Capabilities")))
    names = (name for option in options for name in option)
    return DeviceRequest(
        driver=text(told.get("Driver"), 200),
        count=integer(told.get("Count")) or 0,
        device_ids=texts(told.get("DeviceIDs"), 200),
        capabilities=tuple(dict.fromkeys(names)),
    )


def _is_gpu(request: DeviceRequest) -> bool:
    return (
        "gpu" in request.capabilities
        or request.driver == "nvidia"
        or any(device.startswith(_CDI_VENDOR) for device in request.device_ids)
    )


def _variables(told: object) -> tuple[tuple[str, str], ...]:
    found = {}
    for entry in items(told):
        name, _, value = entry.partition("=") if isinstance(entry, str) else ("", "", "")
        if name in GPU_VARIABLES:
            found[name] = text(value)
    return tuple(sorted(found.items()))


def _arguments(inspected: Mapping[str, Any], config: Mapping[str, Any]) -> tuple[str, ...]:
    """Give entrypoint and command as the engine runs them, else as they are configured."""
    path = text(inspected.get("Path"))
    if path:
        return (path, *texts(inspected.get("Args")))
    return texts(config.get("Entrypoint")) + texts(config.get("Cmd"))
