"""Tests of fetch.py on small wheels made here: no network, only a temporary cache."""

import contextlib
import io
import multiprocessing
import os
import tempfile
import unittest
import zipfile
from pathlib import Path
from unittest import mock

import fetch


def make_wheel(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tool-1.0.data/scripts/just", "#!/bin/sh\necho just 1.0\n")
        archive.writestr("tool-1.0.dist-info/METADATA", "not wanted")


class Index:
    """A stand-in for the package index, which serves one file and counts requests."""

    def __init__(self, wheel):
        self.wheel, self.served, self.damage = wheel, 0, False

    def __call__(self, wheel, into):
        self.served += 1
        data = self.wheel.read_bytes()
        (into / "tool-1.0-py3-none-any.whl").write_bytes(data[: len(data) // 2] if self.damage else data)


def install_in_child(wheel, pins, results):
    with contextlib.redirect_stderr(io.StringIO()):
        index = Index(wheel)
        fetch.install("just", pins, index)
        results.put(index.served)


class FetchTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.cache = Path(temporary.name) / "cache"
        environment = mock.patch.dict(os.environ, {"GLIMPSE_CACHE": str(self.cache)})
        environment.start()
        self.addCleanup(environment.stop)
        quiet = contextlib.redirect_stderr(io.StringIO())
        quiet.__enter__()
        self.addCleanup(quiet.__exit__, None, None, None)
        wheel = Path(temporary.name) / "tool.whl"
        make_wheel(wheel)
        self.index = Index(wheel)
        pin = {"package": "tool", "version": "1.0", "platform": "any", "sha256": fetch.sha256(wheel)}
        self.pins = {"disk_mb": 1, "wheels": [pin]}

    def install(self):
        return fetch.install("just", self.pins, self.index)

    def test_installs_once(self):
        directory = self.install()
        self.assertEqual(directory, self.install())
        self.assertEqual(self.index.served, 1)
        self.assertTrue(os.access(directory / "just", os.X_OK))
        self.assertFalse((directory / "tool-1.0.dist-info").exists())
        self.assertEqual(list((self.cache / "downloads").iterdir()), [])

    def test_damaged_install_is_made_again(self):
        directory = self.install()
        (directory / "just").write_text("")
        self.install()
        self.assertIn("echo", (directory / "just").read_text())

    def test_half_a_download_is_refused_and_not_kept(self):
        self.index.damage = True
        with self.assertRaisesRegex(fetch.Failure, "expected .* deleted"):
            self.install()
        self.assertEqual(list((self.cache / "downloads").iterdir()), [])
        self.index.damage = False
        self.install()

    def test_verified_download_is_used_after_a_failure(self):
        with mock.patch.object(fetch, "unpack", side_effect=KeyboardInterrupt):
            with self.assertRaises(KeyboardInterrupt):
                self.install()
        self.install()
        self.assertEqual(self.index.served, 1)
        self.assertEqual(list(self.cache.glob("unpack-*")), [])

    def test_damaged_kept_download_is_fetched_again(self):
        with mock.patch.object(fetch, "unpack", side_effect=KeyboardInterrupt):
            with self.assertRaises(KeyboardInterrupt):
                self.install()
        (kept,) = (self.cache / "downloads").iterdir()
        kept.write_bytes(b"half")
        self.install()
        self.assertEqual(self.index.served, 2)

    def test_small_disk(self):
        self.pins["disk_mb"] = 1 << 40
        with self.assertRaisesRegex(fetch.Failure, "MB are needed"):
            self.install()

    def test_full_disk_while_unpacking(self):
        with mock.patch.object(fetch, "unpack", side_effect=OSError(28, "No space left on device")):
            with self.assertRaisesRegex(fetch.Failure, "disk is full"):
                self.install()

    def test_unknown_system(self):
        with mock.patch.object(fetch, "system", return_value="plan9-mips"):
            with self.assertRaisesRegex(fetch.Failure, "plan9-mips.*GOTCH_LIBTORCH"):
                fetch.install("libtorch-cpu")

    def test_pinned_versions(self):
        with mock.patch.object(fetch, "system", return_value="linux-x86_64"):
            newest, oldest = fetch.pins_of("libtorch-cpu"), fetch.pins_of("libtorch-cpu", "2.1.2")
            self.assertEqual([p["wheels"][0]["version"] for p in (newest, oldest)], ["2.15.0", "2.1.2"])
            with self.assertRaisesRegex(fetch.Failure, "'2.3.0'; expected 2.15.0 or 2.1.2.*GOTCH_LIBTORCH"):
                fetch.pins_of("libtorch-cuda", "2.3.0")

    def test_two_at_once_download_once(self):
        context = multiprocessing.get_context("fork")
        results = context.Queue()
        arguments = (self.index.wheel, self.pins, results)
        children = [context.Process(target=install_in_child, args=arguments) for _ in range(4)]
        for child in children:
            child.start()
        for child in children:
            child.join()
        self.assertEqual(sum(results.get() for _ in children), 1)

    def test_keep_rules(self):
        cases = {
            ("libtorch-cpu", "torch/lib/libtorch_cpu.so"): True,
            ("libtorch-cpu", "torch/lib/libtorch_cuda_linalg.so"): False,
            ("libtorch-cpu", "torch/lib/libtorch_nvshmem.so"): False,
            ("libtorch-cpu", "torch/include/"): False,
            ("libtorch-cuda", "torch/lib/libtorch_cuda_linalg.so"): True,
            ("libtorch-cuda", "torch/lib/libtorch_python.so"): False,
            ("libtorch-cpu", "torch/include/c10/macros/Macros.h"): True,
            ("libtorch-cpu", "torch/nn/functional.py"): False,
            ("libtorch-cpu", "nvidia/cuda_cupti/lib/libcupti.so.12"): True,
            ("libtorch-cpu", "nvidia/cu13/lib/libcudart.so.13"): True,
            ("libtorch-cpu", "nvidia/cuda_cupti/lib/libnvperf_host.so"): False,
            ("libtorch-cuda", "nvidia/cudnn/lib/libcudnn.so.8"): True,
        }
        for (what, name), kept in cases.items():
            with self.subTest(what=what, name=name):
                self.assertEqual(fetch.keep(what, name) is not None, kept)


if __name__ == "__main__":
    unittest.main()
