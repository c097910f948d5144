"""Files from anywhere: cut off, made up, or meant to harm. Reading one ends at once, in words."""

import json
import os
import struct
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.models.inventory.header import Header, Tensor
from console.models.inventory.headers import header_from, read_header
from console.models.inventory.precision import parameters_of
from console.models.inventory.recognise import recognise
from tests.inventory import build


def of(data: bytes, name: str = "a.safetensors", size: int | None = None) -> Header:
    return header_from(
        lambda start, stop: data[start:stop], len(data) if size is None else size, name
    )


def framed(text: bytes, body: int = 0) -> bytes:
    return struct.pack("<Q", len(text)) + text + b"\0" * body


HUGE = struct.pack("<I8Q", 8, *[1 << 53] * 8)


def test_a_file_of_forty_gigabytes_takes_milliseconds(tmp_path: Path) -> None:
    tensors: build.Tensors = {
        f"transformer_blocks.{number}.img_mlp.net.0.proj.weight": ("BF16", (12288, 3072 * 9))
        for number in range(60)
    }
    path = build.put(tmp_path / "big.safetensors", build.safetensors(tensors))
    assert path.stat().st_size > 40_000_000_000
    tracemalloc.start()
    header = read_header(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert header.promised_bytes == path.stat().st_size
    assert parameters_of(header) == 60 * 12288 * 3072 * 9
    assert peak < 4 << 20


def test_a_download_that_broke_off_is_known_by_what_the_header_promises(tmp_path: Path) -> None:
    for name, made in (
        ("a.safetensors", build.safetensors(build.LORA_SDXL)),
        ("a.gguf", build.gguf({"a": ("q4_0", (64, 64))}, {"general.architecture": "flux"})),
    ):
        whole = len(made[0]) + made[1]
        header = read_header(build.put(tmp_path / name, made, cut=100))
        assert (header.promised_bytes, header.size) == (whole, whole - 100)
        # Within the header itself; so much at least would have to follow.
        (tmp_path / name).write_bytes(made[0][: len(made[0]) // 2])
        header = read_header(tmp_path / name)
        assert header.problem is None
        assert header.promised_bytes is not None
        assert header.promised_bytes > header.size


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("<Q", 100_000_000) + b"{" + b" " * 600,  # promises 100 MB, and is cut
        struct.pack("<Q", 1 << 63) + b'{"a"' + b" " * 600,
        framed(b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,800]}}', 800),
        framed(b'{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}', 8),
        framed(b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}', 8),
        framed(b'{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,8]}}', 8),
        framed(b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}', 16),
        framed(b'{"a":{"dtype":"F32","shape":[1e9,1e9],"data_offsets":[0,8]}}', 8),
        framed(b'{"a":{"dtype":"F32","shape":[' + b"9," * 5_000 + b'9],"data_offsets":[0,8]}}', 8),
        framed(
            b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},'
            b'"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}',
            8,
        ),
        framed(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        framed(b'{"__metadata__":[1,2],"a":7}'),
        framed(b'{"a":{"dtype":"NEW","shape":[9007199254740992,2],"data_offsets":[0,8]}}', 8),
        framed(b"{not json at all}"),
        framed(b'{"\xff\xfe":{}}'),
        b"\0" * 5_000,
        b"GGUF",
        b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 0),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 60),
        b"GGUF" + struct.pack(">IQQ", 3, 1, 1),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1 << 60) + b"key",
        b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"k" + struct.pack("<IIQ", 9, 8, 1 << 60),
        b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"k" + struct.pack("<IIQ", 9, 9, 1 << 60),
        b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"k" + struct.pack("<I", 99),
        b"GGUF" + struct.pack("<IQQQ", 3, 1, 0, 1) + b"t" + struct.pack("<IQIQ", 1, 1 << 60, 0, 0),
        b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"k" + struct.pack("<IIQIQ", 9, 9, 1, 0, 0),
        b"GGUF" + struct.pack("<IQQQ", 3, 1, 0, 1) + b"t" + struct.pack("<I", 1 << 31),
        b"GGUF" + struct.pack("<IQQQ", 3, 1, 0, 1) + b"t" + HUGE + struct.pack("<IQ", 999, 0),
        b"GGUF" + struct.pack("<IQQQ", 3, 1, 0, 1) + b"t" + struct.pack("<IQIQ", 1, 32, 2, 1 << 62),
    ],
)
def test_a_hostile_header_is_refused_in_words_or_known_to_be_cut(data: bytes) -> None:
    tracemalloc.start()
    for name in ("a.safetensors", "a.gguf"):
        header = of(data, name)
        cut = header.promised_bytes is not None and header.promised_bytes > header.size
        assert header.problem is not None or cut
        assert header.tensors == ()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


@pytest.mark.parametrize("told", ["9" * 4_000, "0", "\N{ARABIC-INDIC DIGIT THREE}" * 20, "x"])
def test_an_alignment_that_is_none_promises_no_endless_file(told: str) -> None:
    head, body = build.gguf({"a": ("f32", (32,))}, {"general.alignment": told})
    header = of(head, "a.gguf", len(head) + body)
    assert header.promised_bytes == len(head) + body


@pytest.mark.parametrize("count", [20_000, 2_000_000])
def test_names_without_end_take_no_minutes(count: int) -> None:
    names = ("a.lora_down.weight", "transformer_blocks.x." * count)
    tensors = tuple(Tensor(name, "u8", (1,), 1) for name in names)
    began = time.process_time()
    told = recognise(Header(format="safetensors", tensors=tensors), "a.safetensors", "loras")
    assert time.process_time() - began < 5
    assert told.kind == "lora"


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["a.safetensors", "a.gguf", "a.ckpt", "a"]))
def test_no_bytes_at_all_break_the_reading(data: bytes, name: str) -> None:
    for begun in (data, b"GGUF\3\0\0\0" + data, framed(b"{" + data, 10)):
        header = of(begun, name)
        assert header.size == len(begun)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_one_changed_byte_of_a_good_header_is_survived(data: st.DataObject) -> None:
    made = data.draw(
        st.sampled_from(
            [
                build.safetensors(build.SDXL),
                build.gguf({"a": ("q4_0", (64, 64))}, {"general.architecture": "flux", "x": ["y"]}),
            ]
        )
    )
    head = bytearray(made[0])
    place = data.draw(st.integers(0, len(head) - 1))
    head[place] = data.draw(st.integers(0, 255))
    header = of(bytes(head), "a.safetensors", len(head) + made[1])
    assert header.format in {"safetensors", "gguf", "other"}


@pytest.mark.parametrize(
    ("content", "name", "form"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "a.gguf",
         "lfs-pointer"),
        (b"\n <!DOCTYPE html><html><body>Sign in</body></html>", "a.safetensors", "html"),
        (b"Invalid username or password.", "a.safetensors", "html"),
        (b'{"error":"Repository not found"}', "a.safetensors", "html"),
        (b"Entry not found", "a.gguf", "html"),
        (b"", "a.safetensors", "empty"),
        (b"\x80\x02}q\x00.", "a.pt", "pickle"),
        (b"PK\x03\x04 torch's zip", "a.pth", "pickle"),
        (b"half a model", ".a.safetensors.gpuconsole-part", "part"),
        (b"half a model", "abc.incomplete", "part"),
    ],
)  # fmt: skip
def test_what_is_no_model_is_known_for_what_it_is(content: bytes, name: str, form: str) -> None:
    assert of(content, name).format == form


def test_a_gguf_under_another_name_is_one_all_the_same() -> None:
    made = build.gguf({"a": ("f16", (8, 8))}, {"general.architecture": "flux"})
    assert of(made[0], "a.safetensors", sum((len(made[0]), made[1]))).format == "gguf"


def test_pipes_and_devices_are_not_opened_and_what_is_gone_is_said(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.safetensors")
    for path in (tmp_path / "a.safetensors", Path("/dev/zero"), tmp_path / "gone", tmp_path):
        header = read_header(path)
        assert header.format == "other"
        assert header.problem is not None


def test_metadata_that_are_not_texts_are_left_out() -> None:
    text = json.dumps({"__metadata__": {"a": "b", "c": 7, "d": {"e": "f"}}}).encode()
    assert of(framed(text)).metadata == {"a": "b"}
