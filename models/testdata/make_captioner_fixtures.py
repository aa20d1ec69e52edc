#!/usr/bin/env python3
"""Makes captioner_*.safetensors and .json: what the reference captioner in PyTorch computes.

    pip install torch==2.1.2 'numpy<2' safetensors
    python make_captioner_fixtures.py PATH/TO/captioner.py   # the GRU's
    python make_captioner_fixtures.py                        # the LSTM's, with torch 2.15.0

The reference of the GRU is the module given as argument, with its class Captioner; that of the LSTM is scripts/checkpoint.py
by nn.LSTM, and a beam search that reads each caption from its beginning. Dropout is off. Sizes are small and no multiples
of a vector's width, so that kernels meet their remainders.
"""
import importlib.util, json, os, sys
import torch, torch.nn.functional as F
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
B, C, R, D, V = 4, 5, 9, 24, 53
EMBEDDING, HIDDEN, ATTENTION = 12, 36, 20
STEPS, LR, CLIP, SMOOTHING = 10, 5e-3, 0.5, 0.1
MORE = 150  # steps after which the captions are decoded
LONGEST, POWER = 12, 0.7  # of decoded captions


def load(path):
    spec = importlib.util.spec_from_file_location("reference", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Captioner


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


class GRU:
    """The captioner of the module that is given."""

    def __init__(self, path, arm):
        self.model = load(path)(V, arm, dim=D, dropout=0.0, embedding=EMBEDDING, hidden=HIDDEN, attention_size=ATTENTION)

    def logits(self, images, t):
        return self.model(images, t)

    def beam(self, images, width):
        return self.model.beam(images, width, longest=LONGEST, power=POWER)


class LSTM:
    """The captioner of scripts/checkpoint.py with the cell lstm."""

    def __init__(self, arm):
        path = os.path.join(HERE, "..", "..", "scripts", "checkpoint.py")
        self.model = load(path)(arm, "lstm", V, D, EMBEDDING, HIDDEN, ATTENTION)

    def logits(self, images, t):
        """The logits at real positions, caption by caption, and their targets."""
        real = t[:, 1:] != 0
        return self.model(images.repeat_interleave(C, 0), t[:, :-1])[real], t[:, 1:][real]

    @torch.inference_mode()
    def beam(self, images, width):
        return [self.search(image, width) for image in images]

    def search(self, image, width):
        score = lambda beam: beam[1] / max(len(beam[0]), 1) ** POWER
        beams = [([], 0.0)]  # words, log probability
        ended = lambda words: words[-1:] == [2] or len(words) == LONGEST
        while not all(ended(words) for words, _ in beams):
            grown = []
            for words, total in beams:
                if ended(words):
                    grown.append((words, total))
                    continue
                logp = self.model(image[None], torch.tensor([[1] + words]))[0, -1].double().log_softmax(-1)
                logp[[0, 1, 3]] = -torch.inf  # <pad>, <s> and <unk> are never chosen
                best = logp.topk(width)
                grown += [(words + [w], total + p) for p, w in zip(best.values.tolist(), best.indices.tolist())]
            beams = sorted(grown, key=score, reverse=True)[:width]
        return [w for w in max(beams, key=score)[0] if w != 2]


def write(name, make):
    """Writes the fixture of one captioner, which make gives, with its first weights drawn from a seed."""
    torch.manual_seed(7)
    generator = torch.Generator().manual_seed(11)
    reference = make()
    model = reference.model.train()
    images, t = torch.randn(B, R, D, generator=generator).relu(), tokens(generator)
    out = {"features": images}
    out.update({"start." + k: v.clone() for k, v in model.state_dict().items()})
    optimizer = torch.optim.Adam(model.parameters(), lr=LR)
    losses = []
    for step in range(STEPS + MORE):
        logits, target = reference.logits(images, t)
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
            prefix = "end." if step + 1 == STEPS else "decode."
            out.update({prefix + k: v.clone() for k, v in model.state_dict().items()})
    model.eval()
    captions = {str(width): reference.beam(images, width) for width in (1, 3, 5)}
    save_file({k: v.contiguous().float() for k, v in out.items()}, f"{HERE}/captioner_{name}.safetensors")
    json.dump({"tokens": t.flatten().tolist(), "T": t.shape[1], "losses": losses[:STEPS], "captions": captions},
              open(f"{HERE}/captioner_{name}.json", "w"))
    print(name, losses[0], losses[-1], captions["3"])


for arm in ("none", "soft", "adaptive", "uniform"):
    if len(sys.argv) > 1:
        write(arm, lambda: GRU(sys.argv[1], arm))
    else:
        write("lstm_" + arm, lambda: LSTM(arm))
