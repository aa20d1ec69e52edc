#!/usr/bin/env python3
"""Writes the arrays of the tests of package arrays, as numpy and safetensors write them: pip install numpy safetensors.

Image k has k % 3 + 1 regions of 5 numbers; number j of region r is k + r / 4 + j / 64, which every type holds exactly but
bfloat16, which holds the multiples of 1/4 alone: there j is left out.
"""
import json
import pathlib

import numpy
from safetensors.numpy import save_file

here = pathlib.Path(__file__).parent
names = ["a.jpg", "b.jpg", "sub/ç.png"]
N, R, D = 3, 3, 5


def image(k, regions=R, dtype=numpy.float32):
    r, j = numpy.mgrid[0:regions, 0:D]
    return (k + r / 4 + j / 64).astype(dtype)


whole = numpy.stack([image(k) for k in range(N)])
counts = numpy.array([k % 3 + 1 for k in range(N)])
ragged = {name: image(k, k % 3 + 1, numpy.float64) for k, name in enumerate(names)}

numpy.save(here / "whole.npy", whole.astype(numpy.float16))
(here / "whole.txt").write_text("".join(name + "\n" for name in names))
numpy.save(here / "flat.npy", whole[:, 0, :])
(here / "flat.json").write_text(json.dumps(names))
numpy.savez(here / "ragged.npz", **ragged)
numpy.savez_compressed(here / "compressed.npz", **ragged)
numpy.savez(here / "counts.npz", features=whole, names=numpy.array(names), counts=counts, boxes=numpy.zeros((N, R, 4)))
numpy.savez(here / "bytes.npz", features=whole, names=numpy.array([name.encode() for name in names]))
save_file({name: image(k, k % 3 + 1, numpy.float16) for k, name in enumerate(names)}, here / "ragged.safetensors")
save_file({"features": whole, "counts": counts.astype(numpy.int32)}, here / "counts.safetensors", metadata={"names": json.dumps(names)})
(here / "folder" / "sub").mkdir(parents=True, exist_ok=True)
for k, name in enumerate(names):
    numpy.save(here / "folder" / (name + ".npy"), image(k, k % 3 + 1))

# numpy has no bfloat16: its bits are the upper half of a float32's. The file is written by hand.
header, values = {}, b""
for k, name in enumerate(names):
    bits = (numpy.repeat(image(k)[:, :1], D, 1).view(numpy.uint32) >> 16).astype("<u2").tobytes()
    header[name] = {"dtype": "BF16", "shape": [R, D], "data_offsets": [len(values), len(values) + len(bits)]}
    values += bits
text = json.dumps(header).encode()
(here / "brain.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + values)

# What is refused.
numpy.save(here / "fortran.npy", numpy.asfortranarray(whole[:, 0, :]))
numpy.save(here / "big.npy", whole.astype(">f4"))
numpy.save(here / "objects.npy", numpy.array([1, "x"], dtype=object), allow_pickle=True)
numpy.savez_compressed(here / "packed.npz", features=whole, names=numpy.array(names))
