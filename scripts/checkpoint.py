#!/usr/bin/env python3
"""Open a checkpoint of glimpse in PyTorch, and compare its logits with those of glimpse.

    pip install torch safetensors numpy
    glimpse caption PICTURE --run RUN --logits logits
    scripts/checkpoint.py runs/RUN/checkpoint-… logits/PICTURE.logits.safetensors

Captioner implements all four arms and both cells, and reads word by word; copy it from here. More
in docs/checkpoints.md.
"""
import argparse
import json
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn


class CNN(nn.Module):
    """The encoder trained with the captioner: pixels B,3,S,S in [-1, 1] -> features B,R,D."""

    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(3 + 2, channels, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1)
        self.conv3 = nn.Conv2d(2 * channels, 2 * channels, 3, stride=2, padding=1)
        self.conv4 = nn.Conv2d(2 * channels, 2 * channels, 3, padding=1)

    def forward(self, pixels):
        n, _, height, width = pixels.shape
        across = torch.linspace(-1, 1, width).expand(n, 1, height, width)
        down = torch.linspace(-1, 1, height).unsqueeze(1).expand(n, 1, height, width)
        x = torch.cat([pixels, across, down], 1)
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = F.relu(layer(x))
        return x.flatten(2).transpose(1, 2)


class Captioner(nn.Module):
    """The captioner of an arm (none, uniform, soft, adaptive) and a cell (gru, lstm).

    Its parameters have the names of the tensors in a checkpoint.
    """

    def __init__(self, arm, cell, vocabulary, features, embedding, hidden, attention=0, layers=1):
        super().__init__()
        self.arm, self.cell = arm, cell
        self.embed = nn.Embedding(vocabulary, embedding)
        self.global_ = nn.Linear(features, embedding)
        self.init = nn.Linear(features, hidden)
        if cell == "lstm":
            self.init_c = nn.Linear(features, hidden)
            self.lstm = nn.LSTM(2 * embedding, hidden, num_layers=layers, batch_first=True)
        else:
            self.gru = nn.GRU(2 * embedding, hidden, num_layers=layers, batch_first=True)
        self.out = nn.Linear(hidden, vocabulary)
        if arm != "none":
            self.region = nn.Linear(features, hidden)
        if arm in ("soft", "adaptive"):
            self.key = nn.Linear(hidden, attention, bias=False)
            self.query = nn.Linear(hidden, attention, bias=False)
            self.score = nn.Linear(attention, 1, bias=False)
        if arm == "adaptive":
            self.gate_x = nn.Linear(2 * embedding, hidden)
            self.gate_h = nn.Linear(hidden, hidden)
            self.sentinel_key = nn.Linear(hidden, attention, bias=False)

    def read(self, x, mean):
        """Inputs B,T,2E, mean features B,D -> states, the states before them, and the memory.

        All three are B,T,H. The memory, which the sentinel gates, is the LSTM's memory cell or the
        GRU's state.
        """
        first = torch.tanh(self.init(mean))  # B,H
        if self.cell == "lstm":
            state = [z.expand(self.lstm.num_layers, -1, -1).contiguous() for z in (first, torch.tanh(self.init_c(mean)))]
            states, memories = [], []
            for t in range(x.shape[1]):  # word by word: nn.LSTM returns only the last memory cell
                h, state = self.lstm(x[:, t:t + 1], state)
                states.append(h)
                memories.append(state[1][-1].unsqueeze(1))
            h, memory = torch.cat(states, 1), torch.cat(memories, 1)
        else:
            h, _ = self.gru(x, first.expand(self.gru.num_layers, -1, -1).contiguous())
            memory = h
        return h, torch.cat([first.unsqueeze(1), h[:, :-1]], 1), memory

    def forward(self, features, words):
        """Features B,R,D, words so far B,T (ids, <s> first) -> logits B,T,V of each next word."""
        mean = features.mean(1)  # B,D
        seen = F.relu(self.global_(mean)).unsqueeze(1).expand(-1, words.shape[1], -1)  # B,T,E
        x = torch.cat([self.embed(words), seen], -1)  # B,T,2E
        h, before, memory = self.read(x, mean)  # B,T,H
        if self.arm == "none":
            return self.out(h)
        values = F.relu(self.region(features))  # B,R,H
        if self.arm == "uniform":
            return self.out(h + values.mean(1, keepdim=True))
        query = self.query(h).unsqueeze(2)  # B,T,1,K
        scores = self.score(torch.tanh(query + self.key(values).unsqueeze(1))).squeeze(-1)  # B,T,R
        if self.arm == "soft":
            return self.out(h + scores.softmax(-1) @ values)
        sentinel = torch.sigmoid(self.gate_x(x) + self.gate_h(before)) * torch.tanh(memory)  # B,T,H
        last = self.score(torch.tanh(query.squeeze(2) + self.sentinel_key(sentinel)))  # B,T,1
        alpha = torch.cat([scores, last], -1).softmax(-1)  # B,T,R+1; the last is β
        return self.out(h + alpha[..., :-1] @ values + alpha[..., -1:] * sentinel)


def load(path):
    """Opens a checkpoint, named without extension -> captioner, CNN or None, words by id."""
    weights = load_file(path + ".safetensors")
    with open(path + ".json", encoding="utf-8") as file:
        vocabulary = json.load(file)["vocabulary"]
    encoder = {name.removeprefix("encoder."): weights.pop(name) for name in list(weights) if name.startswith("encoder.")}
    arm = "none"
    for name, layer in (("uniform", "region"), ("soft", "key"), ("adaptive", "gate_x")):
        if layer + ".weight" in weights:
            arm = name
    cell = "lstm" if "lstm.weight_ih_l0" in weights else "gru"
    words, embedding = weights["embed.weight"].shape
    hidden, features = weights["init.weight"].shape
    attention = weights["key.weight"].shape[0] if "key.weight" in weights else 0
    layers = sum(name.startswith(cell + ".weight_ih") for name in weights)
    captioner = Captioner(arm, cell, words, features, embedding, hidden, attention, layers)
    captioner.load_state_dict(weights)  # strict: every name and shape must match
    cnn = None
    if "conv1.weight" in encoder:  # else these are the last blocks of a network with published weights
        cnn = CNN(encoder["conv1.weight"].shape[0])
        cnn.load_state_dict(encoder)
    return captioner.eval(), cnn, vocabulary


def main():
    parser = argparse.ArgumentParser(description="Compare the logits of a checkpoint in PyTorch with those that glimpse wrote.")
    parser.add_argument("checkpoint", help="path of a checkpoint without .safetensors; `glimpse show RUN` prints it")
    parser.add_argument("logits", nargs="+", help="files written by `glimpse caption --logits DIR`")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="largest accepted difference (default %(default)g)")
    args = parser.parse_args()
    captioner, cnn, vocabulary = load(args.checkpoint)
    worst = 0.0
    for path in args.logits:
        wrote = load_file(path)
        words = wrote["words"].long().unsqueeze(0)
        with torch.inference_mode():
            # If the checkpoint lacks (part of) the encoder, use the features that glimpse computed.
            features = cnn(wrote["pixels"].unsqueeze(0)) if cnn else wrote["features"].unsqueeze(0)
            logits = captioner(features, words)[0]
        difference = (logits - wrote["logits"]).abs().max().item()
        worst = max(worst, difference)
        print(f"{' '.join(vocabulary[i] for i in words[0, 1:])}: {logits.shape[0]} x {logits.shape[1]} logits, "
              f"largest difference {difference:.2g} of {wrote['logits'].abs().max():.2g}")
    print(f"{captioner.arm}, {captioner.cell}, {sum(p.numel() for p in captioner.parameters()):,} parameters, "
          f"{'from pixels' if cnn else 'from features'}: largest difference {worst:.2g}")
    return 0 if worst <= args.tolerance else 1


if __name__ == "__main__":
    sys.exit(main())
