"""An operator with a gallery: real records, real files."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from actions.edits.places import kept_files
from actions.operations import Operations
from actions.plan import AnyEvent, Plan
from actions.session import Session, open_session
from console.edits.kept import EditError, KeptEdit, KeptPicture, Timings
from console.edits.recipe import picture_recipe
from console.store.edits import EditRecords
from tests.gallery.pictures import a_picture
from tests.support.program import private_environment, run_program

FIRST = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
BROKEN = EditError(code="edit.out-of-memory", title="the card ran out of memory in KSampler",
                   hint="take a smaller variant")  # fmt: skip


class Gallery:
    """One operator's edits."""

    def __init__(self, home: Path, outputs: Path | None = None) -> None:
        self.home = home
        self.outputs = outputs or home / "outputs"
        self.config = home / "c.toml"
        self.config.write_text(f'[paths]\noutputs = "{self.outputs}"\n')
        self.extra = {"XDG_RUNTIME_DIR": str(home / "run"), "TZ": "UTC"}
        self.environ = private_environment(home, self.extra)
        self.session: Session = open_session(self.environ, str(self.config))
        self.operations = Operations(self.session)
        self.records = EditRecords(self.session.store)
        self.files = kept_files(self.session)
        self._count = 0

    def photo(self, name: str = "cat.png", shade: int = 7) -> Path:
        """Have a picture of the operator's own."""
        path = self.home / "photos" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(a_picture(shade=shade))
        return path

    def made(
        self, state: str = "done", photo: Path | None = None, results: int = 1, **fields: Any
    ) -> KeptEdit:
        """Keep an edit as one that was run: its input, its results, its record."""
        self._count += 1
        at = fields.pop("created_at", FIRST + timedelta(days=self._count))
        edit_id = f"{at:%Y%m%dT%H%M%S}-{self._count:06x}"
        own = photo or self.photo()
        inputs = [self.files.keep_input(own.read_bytes(), "image/png", str(own), 0)]
        os.utime(inputs[0].path, (at.timestamp(), at.timestamp()))
        request = {"workflow": "edit-single", "images": [str(own)], "prompt": "make it snow",
                   "seed": 40 + self._count, "steps": 4, "preview": True}  # fmt: skip
        edit = KeptEdit(
            id=edit_id, state=state, service="comfyui-qwen", kind="comfyui", submitted=True,
            workflow="edit-single", variant="qwen-edit-2509-fp8", prompt="make it snow",
            seed=40 + self._count, steps=4, cfg=1.0, width=7, height=5, created_at=at,
            ended_at=at + timedelta(seconds=42), gpu_name="NVIDIA GeForce RTX 4070 Ti SUPER",
            vram_peak_bytes=15 << 30, timings=Timings(total=42.0, sample=30.0, per_step=7.5),
            recipe={"request": request, "graph": {"1": {"class_type": "X", "inputs": {}}}},
            pictures=tuple(inputs), error=BROKEN if state == "failed" else None,
        )  # fmt: skip
        edit = _with(edit, fields)
        if state == "done":
            edit = _with(edit, {"pictures": (*inputs, *self._results(edit, results))})
        self.records.add(edit)
        return edit

    def plan(self, name: str = "all", **options: Any) -> Plan:
        """Plan to take edits away."""
        return self.operations.plan("gallery-rm", name, **options)

    def run(self, plan: Plan) -> AnyEvent:
        """Run it to its end and give that."""
        return list(self.operations.run(plan))[-1]

    def cli(self, *arguments: str, code: int = 0) -> str:
        """Run `gpuconsole gallery ...` and give its stdout, or where it fails its stderr."""
        words = ["--config", str(self.config), "gallery", *arguments]
        done = run_program(words, self.home, self.extra)
        assert done.returncode == code, done.stderr.decode() + done.stdout.decode()
        return (done.stdout if code == 0 else done.stderr).decode()

    def json(self, *arguments: str, code: int = 0) -> Any:
        """Run it with `--json` and give the answer."""
        words = ["--config", str(self.config), "--json", "gallery", *arguments]
        done = run_program(words, self.home, self.extra)
        assert done.returncode == code, done.stderr.decode() + done.stdout.decode()
        answer = json.loads(done.stdout)
        return answer["data"] if code == 0 else answer["error"]

    def left(self) -> set[str]:
        """Give the files below the outputs folder."""
        return {
            str(path.relative_to(self.outputs))
            for path in self.outputs.rglob("*")
            if path.is_file()
        }

    def _results(self, edit: KeptEdit, count: int) -> list[KeptPicture]:
        return [
            self.files.keep_output(
                a_picture(shade=50 + self._count + number), at=edit.created_at,
                workflow=edit.workflow, edit_id=edit.id, number=number,
                recipe=picture_recipe(edit),
            )
            for number in range(count)
        ]  # fmt: skip


def _with(edit: KeptEdit, fields: dict[str, Any]) -> KeptEdit:
    import msgspec

    return msgspec.structs.replace(edit, **fields)


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    """One operator."""
    return Gallery(tmp_path)
