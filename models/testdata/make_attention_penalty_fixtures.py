#!/usr/bin/env python3
"""Makes attention_penalty_*.safetensors and .json: the loss of doubly stochastic attention and its gradient, by PyTorch's autograd.

    pip install torch==2.15.0 numpy safetensors
    python make_attention_penalty_fixtures.py

The captioner is that of scripts/checkpoint.py; parameters (start.*), features and captions are those of captioner_*.safetensors
and .json. The loss is cross entropy over all words and LAMBDA times the mean over captions of the sum over regions of
(1 - the sum over words of the weight)^2 (Xu et al. 2015, arXiv 1502.03044, equation 14). All of it is in float64.
"""
import json, os, sys
import torch, torch.nn.functional as F
from safetensors.torch import load_file, save_file

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "..", "scripts"))
from checkpoint import Captioner

B, C, R, LAMBDA, PAD = 4, 5, 9, 0.7, 0
SIZES = dict(vocabulary=53, features=24, embedding=12, hidden=36, attention=20)

for cell, arm, name in (("gru", "soft", "soft"), ("gru", "adaptive", "adaptive"), ("lstm", "adaptive", "lstm_adaptive")):
    held = load_file(f"{HERE}/captioner_{name}.safetensors")
    old = json.load(open(f"{HERE}/captioner_{name}.json"))
    tokens = torch.tensor(old["tokens"]).view(B * C, old["T"])
    model = Captioner(arm, cell, **SIZES)
    model.load_state_dict({k[6:]: v for k, v in held.items() if k.startswith("start.")})
    model.double()
    weights = []  # what softmax over places gives
    softmax = torch.Tensor.softmax
    torch.Tensor.softmax = lambda x, dim: weights.append(softmax(x, dim)) or weights[-1]
    logits = model(held["features"].double().repeat_interleave(C, 0), tokens[:, :-1])
    torch.Tensor.softmax = softmax
    real = tokens[:, 1:] != PAD  # BC,T-1
    (alpha,) = weights  # BC,T-1,R or, with the sentinel, R+1
    looks = (alpha[..., :R] * real.unsqueeze(-1)).sum(1)  # BC,R
    captions = real.any(1)
    penalty = ((1 - looks[captions]) ** 2).sum() / captions.sum()
    loss = F.cross_entropy(logits[real], tokens[:, 1:][real]) + LAMBDA * penalty
    loss.backward()
    save_file({"grad." + k: p.grad.float() for k, p in model.named_parameters()}, f"{HERE}/attention_penalty_{name}.safetensors")
    json.dump({"lambda": LAMBDA, "penalty": penalty.item(), "loss": loss.item()}, open(f"{HERE}/attention_penalty_{name}.json", "w"))
    print(name, penalty.item(), loss.item())
