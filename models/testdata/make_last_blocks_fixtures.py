#!/usr/bin/env python3
"""Makes last_blocks_*.json: training the last blocks of an encoder with a captioner, by PyTorch.

    pip install torch==2.15.0 numpy safetensors
    python make_last_blocks_fixtures.py

What the blocks are given, their weights and batch norms, and the captioner's parameters (that of scripts/checkpoint.py) are
not stored: both sides compute them from names, by values() here and computedValues in encoder_test.go. Batch norms are in
evaluation mode, and their weights and biases are not trained. A file has the losses of STEPS steps of Adam at two rates, the
first FROZEN of them without the encoder, the gradients of the first of the others, before they are clipped, and what the
weights are in the end: every EVERY-th number of each.
"""
import json, os, sys
import numpy as np, torch
from torch import nn
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "..", "scripts"))
from checkpoint import Captioner

STEPS, FROZEN, EVERY = 5, 2, 1999
B, C, V = 2, 2, 23
SIZES = dict(cell="gru", vocabulary=V, embedding=8, hidden=12, attention=8)
TOKENS = [1, 5, 9, 12, 7, 2, 1, 8, 5, 2, 0, 0, 1, 20, 11, 2, 0, 0, 1, 6, 6, 14, 2, 0]  # B·C captions of 6
LR, ENCODER_LR, CLIP = 5e-3, 1e-4, 0.5


def stream(name, n):
    """n random 64-bit numbers: splitmix64 from the FNV-1a hash of the name."""
    h = 0xCBF29CE484222325
    for b in name.encode():
        h = (h ^ b) * 0x100000001B3 & (1 << 64) - 1
    with np.errstate(over="ignore"):
        z = np.uint64(h) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        return z ^ z >> np.uint64(31)


def values(name, shape):
    u = (stream(name, int(np.prod(shape))) >> np.uint64(40)).astype(np.float64) / (1 << 23) - 1
    if len(shape) > 1:
        u *= np.sqrt(6 / np.prod(shape[1:]))
    elif name.endswith((".bias", ".running_mean")) or ".bias_" in name:
        u *= 0.1
    else:
        u = 1 + 0.25 * u
        if name.endswith(("bn2.weight", "bn3.weight", "downsample.1.weight")):
            u *= 0.5
    return torch.from_numpy(u.astype(np.float32).reshape(shape))


def fill(module):
    state = module.state_dict()
    module.load_state_dict({k: values(k, tuple(t.shape)) if t.is_floating_point() else t for k, t in state.items()})
    for m in module.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.requires_grad_(False)
    return module.eval()


class MB(nn.Module):
    """A block of an EfficientNet-Lite; before and after are its zeros."""

    def __init__(self, cin, cout, kernel, stride, before, after):
        super().__init__()
        wide, eps = 6 * cin, 1e-3
        self._expand_conv, self._bn0 = nn.Conv2d(cin, wide, 1, bias=False), nn.BatchNorm2d(wide, eps)
        self._depthwise_conv = nn.Conv2d(wide, wide, kernel, stride, groups=wide, bias=False)
        self._bn1 = nn.BatchNorm2d(wide, eps)
        self._project_conv, self._bn2 = nn.Conv2d(wide, cout, 1, bias=False), nn.BatchNorm2d(cout, eps)
        self.pad, self.residual = (before, after, before, after), stride == 1 and cin == cout

    def forward(self, x):
        y = F.relu6(self._bn0(self._expand_conv(x)))
        y = F.relu6(self._bn1(self._depthwise_conv(F.pad(y, self.pad))))
        y = self._bn2(self._project_conv(y))
        return x + y if self.residual else y


class Lite0(nn.Module):
    """The last five blocks of EfficientNet-Lite0, and its head."""

    def __init__(self):
        super().__init__()
        self._blocks = nn.ModuleDict({
            "11": MB(112, 192, 5, 2, 1, 2), "12": MB(192, 192, 5, 1, 2, 2), "13": MB(192, 192, 5, 1, 2, 2),
            "14": MB(192, 192, 5, 1, 2, 2), "15": MB(192, 320, 3, 1, 1, 1)})
        self._conv_head, self._bn1 = nn.Conv2d(320, 1280, 1, bias=False), nn.BatchNorm2d(1280, 1e-3)

    def forward(self, x):
        for block in self._blocks.values():
            x = block(x)
        return F.relu6(self._bn1(self._conv_head(x)))


class Basic(nn.Module):
    """A block of ResNet-18."""

    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False), nn.BatchNorm2d(cout)
        self.conv2, self.bn2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False), nn.BatchNorm2d(cout)
        if stride != 1:
            self.downsample = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (self.downsample(x) if hasattr(self, "downsample") else x))


class ResNet18(nn.Module):
    """The last two blocks of ResNet-18."""

    def __init__(self):
        super().__init__()
        self.layer4 = nn.Sequential(Basic(256, 512, 2), Basic(512, 512, 1))

    def forward(self, x):
        return self.layer4(x)


def train(encoder, arm, blocks, cut, features):
    encoder, captioner = fill(encoder), fill(Captioner(arm, features=features, **SIZES))
    side, dim = cut
    given = 10 * values("cut.bias", (B * side * side * dim,)).view(B, side * side, dim).transpose(1, 2)
    given = given.reshape(B, dim, side, side)
    tokens = torch.tensor(TOKENS).view(B * C, -1)
    tuned = {f"encoder.{k}": p for k, p in encoder.named_parameters() if p.requires_grad}
    own = dict(captioner.named_parameters())
    optimizer = torch.optim.Adam([{"params": tuned.values(), "lr": ENCODER_LR}, {"params": own.values(), "lr": LR}])
    out = {"blocks": blocks, "arm": arm, "image_size": 96, "tokens": TOKENS, "losses": [], "gradients": {}}
    for step in range(STEPS):
        maps = encoder(given).flatten(2).transpose(1, 2)  # B,R,D
        if step < FROZEN:
            maps = maps.detach()
        logits = captioner(maps.repeat_interleave(C, 0), tokens[:, :-1])  # BC,T-1,V
        loss = F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten(), ignore_index=0, label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        out["losses"].append(loss.item())
        if step == FROZEN:
            out["gradients"] = {k: p.grad.flatten()[::EVERY].tolist() for k, p in (tuned | own).items()}
        nn.utils.clip_grad_norm_([*tuned.values(), *own.values()], CLIP)
        optimizer.step()
    out["end"] = {k: p.detach().flatten()[::EVERY].tolist() for k, p in (tuned | own).items()}
    return out


def main():
    for name, encoder, arm, blocks, cut, features in (
            ("efficientnet_lite0", Lite0(), "adaptive", 5, (6, 112), 1280), ("resnet18", ResNet18(), "soft", 2, (6, 256), 512)):
        out = train(encoder, arm, blocks, cut, features)
        with open(f"{HERE}/last_blocks_{name}.json", "w") as file:
            json.dump(out, file)
        print(name, out["losses"])


if __name__ == "__main__":
    main()
