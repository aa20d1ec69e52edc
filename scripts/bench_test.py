"""Tests of bench.py with stand-ins for glimpse and for the yardstick's interpreter."""

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import bench

HERE = str(Path(__file__).resolve().parent)

# Prints what bench.py reads of `glimpse bench VERB --json` and `glimpse score --json`.
GLIMPSE = """#!/usr/bin/env python3
import json, os, sys
sys.path.insert(0, os.environ["HERE"])
from bench_test import children
open("calls", "a").write("A " + " ".join(sys.argv[1:]) + "\\n")
open("neighbours", "a").write(str(len(children(os.getppid()) - {os.getpid()})) + "\\n")
model = {"attention": "soft", "embedding": 8, "hidden": 16, "attention_size": 4, "dropout": 0.5}
settings = {"data": {"name": "flickr8k", "images": 0}, "model": model, "train": {"batch_images": 16, "select": {"patience": 3}}}
if sys.argv[1] == "plan":
    sys.exit(print(json.dumps({"trials": [{"arm": "none", "settings": {}}, {"arm": "soft", "settings": settings}]})))
if sys.argv[1] == "run":
    open("spec", "w").write(open(sys.argv[2]).read())
    sys.exit(print("{}" if "--json" in sys.argv else "RUN  STUDY"))
row = {"captions_per_s": 300, "images_per_s": 40, "image_size": 96, "batch_images": 16, "samples": 5, "beam": 5, "model": model}
print(json.dumps({"rows": [row], "threads": os.environ["OMP_NUM_THREADS"]}, indent=2))
"""

# Prints JSON lines, as the yardstick does; records the arguments of a -c program.
PYTHON = """#!/usr/bin/env python3
import json, sys
known = sys.argv[1:] if sys.argv[1] != "-c" else ["-c"] + sys.argv[3:]
open("calls", "a").write("B " + " ".join(known) + "\\n")
if known[0] == "-c" and known[1].endswith(".npy"):
    open(known[1], "w").close()
if "broken" in sys.argv[1]:
    sys.exit("no module named torch")
print(json.dumps({"epoch": 0, "captions_per_s": 1e4}))
print(json.dumps({"captions_per_s": 100, "images_per_s": 20}))
"""


def children(parent):
    """The running child processes of a process."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            state, ppid = path.read_text().rpartition(")")[2].split()[:2]
            if int(ppid) == parent and state != "Z":
                found.add(int(path.parent.name))
    return found


needs_proc = unittest.skipUnless(Path("/proc/self/stat").exists(), "looks at other processes in /proc")


class BenchTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(temporary.name)
        os.environ.update(HERE=HERE, PYTHONDONTWRITEBYTECODE="1")
        for name, program in {"glimpse": GLIMPSE, "python": PYTHON}.items():
            Path(name).write_text(program)
            Path(name).chmod(0o755)
        Path("Images").mkdir()
        Path("captions.txt").write_text('image,caption\na.jpg,"One dog, running"\na.jpg,A dog\nb.jpg,Two cats\n')

    def bench(self, *flags):
        out, err = io.StringIO(), io.StringIO()
        common = ["--glimpse", "./glimpse", "--python", "./python", "--peer", "peer.py", "--data", ".", "--features", "f.npy", "--threads", "1"]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = bench.main([*common, *flags])
        return code, out.getvalue(), err.getvalue()

    def calls(self):
        return Path("calls").read_text().splitlines()

    def test_train_alternates_and_reports(self):
        code, out, err = self.bench("--what", "train,memory", "--arms", "soft", "--rounds", "3", "--markdown", "table.md")
        self.assertEqual((code, "round 3" in err), (0, True))
        calls = self.calls()
        self.assertEqual([c[0] for c in calls], list("BABABAB"))  # the first B makes the random features
        self.assertIn("bench train experiments/flickr8k.yaml", calls[1])
        self.assertIn("peer.py bench --data . --threads 1 --features f.npy --attention soft --batches 40 --batch-images 16 "
                      "--embedding 8 --hidden 16 --attention-size 4", calls[2])
        rows = json.loads(Path("bench.json").read_text())["rows"]
        self.assertEqual([r["part"] for r in rows], ["train soft", "train soft, memory"])
        self.assertEqual((rows[0]["ratio"], rows[0]["lowest"], len(rows[0]["pairs"])), (3, 3, 3))
        self.assertGreater(rows[1]["ours"], 1)  # MB
        self.assertIn("train soft", out)
        self.assertTrue(Path("table.md").read_text().startswith("| part | threads |"))

    @needs_proc
    def test_neighbours(self):
        code, out, err = self.bench("--what", "train", "--arms", "soft", "--rounds", "2", "--neighbours", "3")
        self.assertEqual(code, 0)
        rows = json.loads(Path("bench.json").read_text())["rows"]
        self.assertEqual([(r["part"], r["neighbours"], len(r["pairs"])) for r in rows], [("train soft", 0, 2), ("train soft", 3, 2)])
        self.assertEqual([c[0] for c in self.calls()], list("B" + "ABAB" * 2))
        seen = Path("neighbours").read_text().split()  # in each measurement of ours
        self.assertEqual(seen, ["0", "3", "0", "3"])
        self.assertIn("round 2, 3 neighbours", err)
        self.assertRegex(out, r"train soft +1 +3 ")

    @needs_proc
    def test_neighbours_end_with_a_failure(self):
        with self.assertRaises(KeyError), bench.beside(2, 1):
            started = children(os.getpid())
            raise KeyError
        self.assertEqual((len(started), children(os.getpid()) & started), (2, set()))

    def test_neighbours_end_with_bench(self):
        program = ("import bench, sys, time\n"
                   "with bench.beside(1, 1):\n"
                   "    print(flush=True)\n"
                   "    time.sleep(600)\n")
        with subprocess.Popen([sys.executable, "-B", "-c", program], stdout=subprocess.PIPE, env=dict(os.environ, PYTHONPATH=HERE)) as killed:
            killed.stdout.readline()
            killed.kill()
            # The neighbour also holds the pipe, which ends when both are gone.
            self.assertEqual(killed.stdout.read(), b"")

    def test_every_part(self):
        code, out, _ = self.bench("--arms", "none,soft", "--rounds", "1", "--score-images", "3")
        self.assertEqual(code, 0)
        for part in ("train none", "train soft", "features", "decode soft", "score 3 × 5", "decode soft, memory"):
            self.assertIn(part, out)
        self.assertTrue(any("decode" in c and "--beam 5" in c for c in self.calls()))
        self.assertTrue(any("--limit 256 --size 96" in c for c in self.calls()))

    def test_trial(self):
        code, out, _ = self.bench("--what", "trial", "--arms", "soft", "--rounds", "1", "--epochs", "2")
        self.assertEqual(code, 0)
        self.assertIn("trial soft, 2 epochs", out)
        spec = json.loads(Path("spec").read_text())
        self.assertEqual(spec["train"], {"batch_images": 16, "select": {"patience": 0}, "epochs": 2})
        self.assertEqual(spec["data"], {"name": "flickr8k", "root": os.getcwd()})
        theirs = self.calls()[-1]
        self.assertIn("train --data . --threads 1 --features f.npy --attention soft --epochs 2 --batch-images 16", theirs)
        self.assertIn("--hidden 16", theirs)

    def test_coco_files(self):
        references, candidates = bench.coco_files(".", 3, Path("."))
        self.assertEqual(json.loads(Path(candidates).read_text())[0], {"image_id": 0, "caption": "Two cats"})
        annotations = json.loads(Path(references).read_text())["annotations"]
        self.assertEqual([a["caption"] for a in annotations], ["One dog, running", "A dog", "Two cats", "One dog, running", "A dog"])

    def test_failure_names_the_command_and_keeps_what_was_measured(self):
        code, out, err = self.bench("--what", "train", "--peer", "broken.py", "--rounds", "1")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("broken.py", err)
        self.assertIn("no module named torch", err)

    def test_refusals(self):
        for flags in (["--what", "trian"], ["--rounds", "0"], ["--threads", "100000"], ["--neighbours", "-1"]):
            with self.assertRaises(SystemExit) as end:
                self.bench(*flags)
            self.assertEqual(end.exception.code, 2)

    def test_ratios(self):
        r = bench.ratios([(2, 1), (9, 3), (4, 4)], "more")
        self.assertEqual((r["ratio"], r["lowest"], r["highest"]), (2, 1, 3))


if __name__ == "__main__":
    unittest.main()
