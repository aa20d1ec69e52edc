#!/usr/bin/env python3
"""Makes reinforce_*.safetensors and .json: the gradient of self-critical training, by PyTorch's autograd.

    pip install torch==2.15.0 numpy safetensors
    python make_reinforce_fixtures.py PATH/TO/captioner.py

The reference is the module given as argument, with its class Captioner; parameters (start.*), features and captions are those
of captioner_*.safetensors and .json. Rewards are drawn. Each image's captions but the last have a mean-of-others baseline
(Luo 2020, arXiv 2003.09971); the last captions' rewards are those of a greedy caption for the other baseline. Words that never
come out have probability 0. All of it in float64.
"""
import importlib.util, json, os, sys
import torch
from safetensors.torch import load_file, save_file

spec = importlib.util.spec_from_file_location("captioner", sys.argv[1])
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)
HERE = os.path.dirname(os.path.abspath(__file__))
B, C, D, V, PAD, START, UNKNOWN = 4, 5, 24, 53, 0, 1, 3
SIZES = dict(embedding=12, hidden=36, attention_size=20)


def log_probabilities(model, features, tokens):
    """B·C sums of log probabilities, of the words after <s> of each caption."""
    logits, target = model(features, tokens, per_image=C)
    logits[:, [PAD, START, UNKNOWN]] = -torch.inf
    each = logits.log_softmax(-1).gather(1, target[:, None])[:, 0]
    row = (tokens[:, 1:] != PAD).nonzero()[:, 0]
    return torch.zeros(B * C, dtype=torch.float64).index_add(0, row, each)


for arm in ("none", "adaptive"):
    held = load_file(f"{HERE}/captioner_{arm}.safetensors")
    old = json.load(open(f"{HERE}/captioner_{arm}.json"))
    tokens = torch.tensor(old["tokens"]).view(B * C, old["T"])
    tokens[tokens == UNKNOWN] = 4  # a sample has none
    tokens[8], tokens[9] = tokens[7], tokens[6]  # every image has as many samples
    tokens[0, 6:] = PAD  # cut off before </s>
    model = reference.Captioner(V, arm, dim=D, dropout=0.0, **SIZES)
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
