#!/usr/bin/env python3
"""Makes the .pth files beside it, which pth_test.go reads. Needs torch 2.1.2 and numpy < 2:

    python3 make_fixtures.py

Each file holds the tensors of state(), written in another way; torch.load reads every one of them back here.
"""
import collections, io, os, struct
import torch

HERE = os.path.dirname(os.path.abspath(__file__))


def state():
    base = torch.arange(24, dtype=torch.float32) / 8 - 1  # -1, -0.875, …, exact in every float type
    d = collections.OrderedDict()
    d["plain"] = base.reshape(2, 3, 4).clone()
    d["transposed"] = base.reshape(4, 6).t()             # strides (1, 6), shares its storage with the next
    d["middle"] = base.reshape(4, 6)[1:3, 2:5]           # offset 8, strides (6, 1)
    d["channels_last"] = base.reshape(1, 2, 3, 4).contiguous(memory_format=torch.channels_last)
    d["scalar"] = torch.tensor(2.5)
    d["empty"] = torch.zeros(0, 3)
    d["parameter"] = torch.nn.Parameter(base[:4].clone())
    d["tied"] = d["parameter"]
    for dtype in (torch.float64, torch.float16, torch.bfloat16):
        d[str(dtype).split(".")[1]] = base.to(dtype)
    d["odd_halves"] = torch.tensor([65504, 6.1e-5, 5.96e-8, -5.96e-8, float("inf"), -float("inf"), -0.0]).half()
    for dtype in (torch.int64, torch.int32, torch.int16, torch.int8):
        d[str(dtype).split(".")[1]] = torch.tensor([-3, 0, 7], dtype=dtype)
    d["uint8"] = torch.tensor([0, 7, 255], dtype=torch.uint8)
    d["bool"] = torch.tensor([True, False])
    d._metadata = collections.OrderedDict(version=1)
    return d


def old_python():
    """The legacy file as Python 2 and PyTorch 0.2 wrote it: byte strings, OrderedDict([[k, v]]), bare Parameters."""
    def text(s):
        return b"U" + bytes([len(s)]) + s.encode()

    def storage(key, numel):
        return b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(key) + text("cpu") + b"K" + bytes([numel]) + b"NtQ"

    def tensor(key, numel):
        return b"ctorch._utils\n_rebuild_tensor\n(" + storage(key, numel) + b"K\0K" + bytes([numel]) + b"\x85K\1\x85tR"

    weight = b"ctorch.nn.parameter\nParameter\n)\x81q\x05(" + tensor("11", 3) + b"N}\x88\x89tb"
    running = tensor("22", 2)
    pairs = b"](](" + text("weight") + weight + b"e](" + text("running_mean") + running + b"ee"
    body = b"\x80\x02ccollections\nOrderedDict\nq\x01" + pairs + b"\x85R."
    head = io.BytesIO()
    torch.save({}, head, _use_new_zipfile_serialization=False)
    head = head.getvalue()[:head.getvalue().index(b".", head.getvalue().index(b"type_sizes")) + 1]
    keys = b"\x80\x02](" + text("11") + text("22") + b"e."
    data = struct.pack("<q3f", 3, 1, 2, 3) + struct.pack("<q2f", 2, -1, 0.5)
    return head + body + keys + data


def write(name, data):
    path = os.path.join(HERE, name)
    if isinstance(data, bytes):
        with open(path, "wb") as f:
            f.write(data)
    print(name, os.path.getsize(path), torch.load(path, map_location="cpu"))


def save(name, value, **how):
    torch.save(value, os.path.join(HERE, name), **how)
    write(name, None)


if __name__ == "__main__":
    save("zip.pth", state())
    save("protocol4.pth", state(), pickle_protocol=4)
    save("legacy.pth", state(), _use_new_zipfile_serialization=False)
    save("checkpoint.pth", {"epoch": 3, "arch": "tiny", "state_dict": state()})
    save("module.pth", torch.nn.Linear(2, 2))
    write("python2.pth", old_python())
