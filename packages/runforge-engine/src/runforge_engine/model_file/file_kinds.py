"""Recognise other model and data formats than pickle by their first bytes.

Source: file(1), ``magic``.
"""

from __future__ import annotations

import re

from runforge_engine.model_file.byte_source import ByteSource

#: Number of bytes read from the start, and from the end of a ZIP file, where its names are.
_HEAD, _TAIL = 4096, 65536

#: Formats by their first bytes.
_MAGIC = (
    (b"\x93NUMPY", "a NumPy array (.npy)"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, such as Keras writes (.h5)"),
    (b"GGUF", "a GGUF model of llama.cpp"),
    (b"CBM1", "a model of CatBoost"),
    (b"binf", "a model of XGBoost"),
    (b"{L\x00\x00", "a model of XGBoost (UBJSON)"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"\x28\xb5\x2f\xfd", "compressed with Zstandard, which is not read"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\x7fELF", "a program (ELF)"),
    (b"MZ\x90\x00", "a program of Windows"),
    (b"\xca\xfe\xba\xbe", "a compiled Java class or a program of macOS"),
    (b"\xcf\xfa\xed\xfe", "a program of macOS"),
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG\r\n\x1a\n", "an image (PNG)"),
    (b"\xff\xd8\xff", "an image (JPEG)"),
    (b"GIF8", "an image (GIF)"),
    (b"version https://git-lfs", "a pointer of Git LFS; `git lfs pull` gets the file itself"),
    # The format of torch.save before ZIP files: a pickle of a magic number, then other pickles.
    (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "a PyTorch file (before PyTorch 1.6)"),
)


def recognise(source: ByteSource) -> str | None:
    """Return the format of a file that is certainly not a pickle, or ``None``."""
    head = source.read(0, min(_HEAD, source.size))
    if not head:
        return "empty"
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _archive(source)
    if head[257:262] == b"ustar":
        return "a tar archive"
    if head[4:8] == b"TFL3":
        return "a TensorFlow Lite model"
    if len(head) > 10 and head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= 10**8:
        return "a safetensors file"
    # A protocol buffer: the version of the format, then a string or a message.
    if re.match(rb"\x08[\x01-\x20][\x12\x1a:B]", head):
        return "an ONNX model" if b"\x12" in head[2:3] or b":" in head[2:3] else "a protocol buffer"
    if re.match(rb"\x0a[\x01-\x7f]", head) and b"tensorflow" in head:
        return "a TensorFlow model"
    return None


def _archive(source: ByteSource) -> str:
    """Return the format of a ZIP file, by the names of its members."""
    start = max(source.size - _TAIL, 0)
    names = source.read(0, min(_HEAD, source.size)) + source.read(start, source.size - start)
    for name, kind in (
        (b"/data.pkl", "a PyTorch file (ZIP, as torch.save writes it)"),
        (b".npy", "a file of NumPy arrays (.npz)"),
        (b"model.weights.h5", "a Keras model (.keras)"),
        (b"schema.json", "a file of skops or another ZIP archive"),
        (b"word/document.xml", "a Word document"),
        (b"xl/workbook.xml", "an Excel workbook"),
    ):
        if name in names:
            return kind
    return "a ZIP archive"


def recognise_text(source: ByteSource) -> str | None:
    """Return the kind of a file that holds text, or ``None`` for another file."""
    head = source.read(0, min(_HEAD, source.size))
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text in UTF-16"
    try:
        # A character that is cut off at the end of the sample is not an error.
        text = head.decode("utf-8-sig") if len(head) < _HEAD else _decoded(head)
    except UnicodeDecodeError:
        return None
    if any(ord(character) < 32 and character not in "\t\n\r\f\x1b" for character in text):
        return None
    begin = text.lstrip()[:100]
    if begin.startswith(("{", "[")):
        return "a JSON text"
    if begin.startswith("<"):
        return "an XML or HTML text, such as PMML" if "<" in begin else "plain text"
    if begin.startswith("tree\n"):
        return "a model of LightGBM (text)"
    if begin.startswith("#!"):
        return "a script"
    first = text.splitlines()[0] if text.strip() else ""
    if any(sign in first for sign in ",;\t"):
        return "text, perhaps a table (CSV)"
    return "plain text"


def _decoded(head: bytes) -> str:
    for cut in range(4):
        try:
            return head[: len(head) - cut].decode("utf-8-sig")
        except UnicodeDecodeError:
            if cut == 3:
                raise
    raise AssertionError("unreachable")
