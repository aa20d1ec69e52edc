#!/usr/bin/env python3
"""Makes captioner_*.safetensors and .json: what the reference captioner in PyTorch computes.

    pip install torch==2.1.2 'numpy<2' safetensors
    python make_captioner_fixtures.py PATH/TO/captioner.py

The reference is the module given as argument, with its class Captioner. Dropout is off. Sizes are small and no multiples
of a vector's width, so that kernels meet their remainders.
"""
import importlib.util, json, os, sys
import torch, torch.nn.functional as F
from safetensors.torch import save_file

spec = importlib.util.spec_from_file_location("captioner", sys.argv[1])
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)
HERE = os.path.dirname(os.path.abspath(__file__))
B, C, R, D, V = 4, 5, 9, 24, 53
SIZES = dict(embedding=12, hidden=36, attention_size=20)
STEPS, LR, CLIP, SMOOTHING = 10, 5e-3, 0.5, 0.1
MORE = 150  # steps after which the captions are decoded


def tokens(generator):
    """Captions of 1 to 11 words; one image has only three captions, the rest of its rows is padding."""
    longest = 13
    t = torch.zeros(B * C, longest, dtype=torch.long)
    for row in range(B * C):
        if row in (8, 9):
            continue
        n = int(torch.randint(1, longest - 1, (), generator=generator))
        t[row, 0] = 1
        t[row, 1:n + 1] = torch.randint(3, V, (n,), generator=generator)
        t[row, n + 1] = 2
    return t


for arm in ("none", "soft", "adaptive", "uniform"):
    torch.manual_seed(7)
    generator = torch.Generator().manual_seed(11)
    model = reference.Captioner(V, arm, dim=D, dropout=0.0, **SIZES)
    model.train()
    images, t = torch.randn(B, R, D, generator=generator).relu(), tokens(generator)
    out = {"features": images}
    out.update({"start." + k: v.clone() for k, v in model.state_dict().items()})
    optimizer = torch.optim.Adam(model.parameters(), lr=LR)
    losses = []
    for step in range(STEPS + MORE):
        logits, target = model(images, t)
        loss = F.cross_entropy(logits, target, label_smoothing=SMOOTHING)
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            out["logits"] = logits.detach().clone()
            out.update({"grad." + k: p.grad.clone() for k, p in model.named_parameters()})
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        losses.append(loss.item())
        if step + 1 in (STEPS, STEPS + MORE):
            name = "end." if step + 1 == STEPS else "decode."
            out.update({name + k: v.clone() for k, v in model.state_dict().items()})
    model.eval()
    captions = {str(width): model.beam(images, width, longest=12, power=0.7) for width in (1, 3, 5)}
    save_file({k: v.contiguous().float() for k, v in out.items()}, f"{HERE}/captioner_{arm}.safetensors")
    json.dump({"tokens": t.flatten().tolist(), "T": t.shape[1], "losses": losses[:STEPS], "captions": captions},
              open(f"{HERE}/captioner_{arm}.json", "w"))
    print(arm, losses[0], losses[-1], captions["3"])
