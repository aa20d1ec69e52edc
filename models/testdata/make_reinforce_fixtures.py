#!/usr/bin/env python3
"""Makes reinforce_*.safetensors and .json: the gradient of self-critical training, by PyTorch's autograd.

    pip install torch==2.15.0 numpy safetensors
    python make_reinforce_fixtures.py

The captioner is that of scripts/checkpoint.py; parameters (start.*), features and captions are those of
captioner_*.safetensors and .json. Rewards are drawn, those of greedy captions too. A caption's baseline is the mean reward of the
image's others (Luo 2020, arXiv 2003.09971), or the reward of the greedy caption. Words that never come out have probability
0. All of it is in float64.
"""
import json, os, sys
import torch
from safetensors.torch import load_file, save_file

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "..", "scripts"))
from checkpoint import Captioner

B, C, D, V, PAD, START, UNKNOWN = 4, 5, 24, 53, 0, 1, 3
SIZES = dict(vocabulary=V, features=D, embedding=12, hidden=36, attention=20)


def log_probabilities(model, features, tokens):
    """B·C sums of log probabilities, of the words after <s> of each caption."""
    logits = model(features.repeat_interleave(C, 0), tokens[:, :-1])  # BC,T-1,V
    logits[..., [PAD, START, UNKNOWN]] = -torch.inf
    target = tokens[:, 1:]
    each = logits.log_softmax(-1).gather(-1, target.unsqueeze(-1)).squeeze(-1)
    return each.masked_fill(target == PAD, 0).sum(1)


for arm in ("none", "adaptive"):
    held = load_file(f"{HERE}/captioner_{arm}.safetensors")
    old = json.load(open(f"{HERE}/captioner_{arm}.json"))
    tokens = torch.tensor(old["tokens"]).view(B * C, old["T"])
    tokens[tokens == UNKNOWN] = 4  # a sample has none
    tokens[8], tokens[9] = tokens[7], tokens[6]  # every image has as many samples
    tokens[0, 6:] = PAD  # cut off before </s>
    model = Captioner(arm, **SIZES)
    model.load_state_dict({k[6:]: v for k, v in held.items() if k.startswith("start.")})
    model.double()
    generator = torch.Generator().manual_seed(5)
    rewards = 3 * torch.rand(B, C, generator=generator, dtype=torch.float64)
    greedy = 3 * torch.rand(B, 1, generator=generator, dtype=torch.float64)
    out = {}
    for baseline in ("mean", "greedy"):
        held_against = (rewards.sum(1, keepdim=True) - rewards) / (C - 1) if baseline == "mean" else greedy
        advantage = (rewards - held_against).view(-1)
        logp = log_probabilities(model, held["features"].double(), tokens)
        loss = -(advantage * logp).sum() / (B * C)
        model.zero_grad()
        loss.backward()
        out[baseline] = {"loss": loss.item()}
        if baseline == "mean":
            save_file({"grad." + k: p.grad.float() for k, p in model.named_parameters()}, f"{HERE}/reinforce_{arm}.safetensors")
        out[baseline]["norm"] = torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item()
    json.dump({"tokens": tokens.flatten().tolist(), "T": old["T"], "rewards": rewards.flatten().tolist(),
               "greedy": greedy.flatten().tolist(), "by": out}, open(f"{HERE}/reinforce_{arm}.json", "w"))
    print(arm, out)
