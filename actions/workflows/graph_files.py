"""The model files that a graph names: which inputs, and which entries of the catalogue they are."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from actions.workflows.rules import node_rules
from console.models.catalog import Catalog, ModelFile


class Named(NamedTuple):
    """A model file as a graph names it: node, its class, the input, the name, and the folder.

    The folder is empty where only the name's ending tells that it is a model.
    """

    node: str
    class_type: str
    input: str
    name: str
    folder: str


def named_in(graph: Mapping[str, Any]) -> Iterator[Named]:
    """Give every model file that a graph names."""
    rules = node_rules()
    endings = rules.endings["model"]
    for ident, node in graph.items():
        known = rules.files.get(node["class_type"], {})
        for name, value in node["inputs"].items():
            if isinstance(value, str) and (name in known or value.lower().endswith(endings)):
                yield Named(ident, node["class_type"], name, value, known.get(name, ""))


def last_part(name: str) -> str:
    """Give a file's own name, without the folders that a server lists before it."""
    return name.replace("\\", "/").rpartition("/")[2]


def file_called(catalog: Catalog, name: str) -> ModelFile | None:
    """Give the entry of the catalogue whose file is called so; None where there is none."""
    own = last_part(name).lower()
    return next((file for file in catalog.files if file.name.lower() == own), None)


def files_of(graph: Mapping[str, Any], catalog: Catalog) -> tuple[ModelFile, ...]:
    """Give the entries of the catalogue that a graph names, the diffusion model first."""
    found = [file for one in named_in(graph) if (file := file_called(catalog, one.name))]
    unique = dict.fromkeys(file.id for file in found)
    files = [file for ident in unique if (file := catalog.file(ident)) is not None]
    return tuple(sorted(files, key=lambda file: file.kind != "diffusion_model"))
