"""What all golden cases share: seeded numbers, references in double precision, and the two files of a group.

NAME.json describes the cases of a group, one a line; NAME.safetensors holds all of their arrays as CASE/ARRAY. Both
follow the format rnn-oracle/1: what goes in is float32, integer or boolean; what comes out is computed in float64 from
just those values and stored as float32; f32_max_abs_err is the distance of the producer's own float32 run from it.
"""

import json
import struct
import zlib
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parents[2] / "test" / "fixtures" / "goldens"

STORED = {"float64": "float32", "int64": "int32"}
SAFETENSORS = {"float32": "F32", "int32": "I32", "bool": "BOOL"}


class Draw:
    """Random arrays that belong to a name, whatever else is drawn."""

    def __init__(self, name):
        self.rng = np.random.default_rng(zlib.crc32(name.encode()))

    def floats(self, *shape, scale=1.0):
        """Real numbers in -scale...scale."""
        return self.rng.uniform(-scale, scale, shape).astype(np.float32)

    def integers(self, below, *shape):
        return self.rng.integers(0, below, shape).astype(np.int32)

    def probabilities(self, *shape):
        """Numbers in 0.05...1 whose last axis has the sum 1."""
        p = self.rng.uniform(0.05, 1, shape)
        return (p / p.sum(-1, keepdims=True)).astype(np.float32)

    def bits(self, *shape):
        return self.rng.integers(0, 2, shape).astype(np.float32)


class Group:
    """The cases of one group, such as torch/rnn."""

    def __init__(self, name, producer):
        self.name = name
        self.producer = producer
        self.cases = {}
        self.arrays = {}

    def add(self, name, config, arrays, compute, **more):
        """Adds a case.

        arrays: what goes in, by name.
        compute: a function of these arrays that gives the results by name. It is called with float64 arrays for the
            reference and with float32 arrays for the error of single precision.
        more: further parts of the description.
        """
        exact = {key: np.asarray(a, np.float64) for key, a in compute(in_double(arrays)).items()}
        single = compute(arrays)
        errors = {key: two_digits(np.max(np.abs(a - single[key]), initial=0)) for key, a in exact.items()}
        assert all(np.isfinite(a).all() for a in exact.values()), name
        self.cases[name] = {"config": config, **more, "f32_max_abs_err": errors}
        self.arrays |= {f"{name}/{key}": as_stored(a) for key, a in (arrays | exact).items()}

    def write(self):
        """Writes the two files of the group."""
        path = FOLDER / self.name
        path.parent.mkdir(parents=True, exist_ok=True)
        head = f'  "format": "rnn-oracle/1",\n  "producer": {json.dumps(self.producer)},\n'
        rows = ",\n".join(f"    {json.dumps(name)}: {json.dumps(case)}" for name, case in self.cases.items())
        path.with_suffix(".json").write_text(f'{{\n{head}  "cases": {{\n{rows}\n  }}\n}}\n')
        path.with_suffix(".safetensors").write_bytes(safetensors(self.arrays))


def in_double(arrays):
    """Real arrays in double precision, others as they are."""
    return {name: a.astype(np.float64) if a.dtype == np.float32 else a for name, a in arrays.items()}


def as_stored(a):
    return a.astype(STORED.get(a.dtype.name, a.dtype))


def two_digits(error):
    return float(f"{float(error):.1e}")


def safetensors(arrays):
    """The bytes of a safetensors file; arrays of wider types come first, so that all are aligned."""
    header, parts, offset = {}, [], 0
    for name, a in sorted(arrays.items(), key=lambda item: (-item[1].itemsize, item[0])):
        data = np.ascontiguousarray(a).tobytes()
        header[name] = {
            "dtype": SAFETENSORS[a.dtype.name],
            "shape": list(a.shape),
            "data_offsets": [offset, offset + len(data)],
        }
        parts.append(data)
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(parts)
