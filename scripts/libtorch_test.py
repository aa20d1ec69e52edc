"""Tests of scripts/libtorch on small folders made here: no network, no Go, no libtorch."""

import importlib.machinery
import importlib.util
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import fetch

HERE = Path(__file__).resolve().parent
loader = importlib.machinery.SourceFileLoader("libtorch", str(HERE / "libtorch"))
libtorch = importlib.util.module_from_spec(importlib.util.spec_from_loader("libtorch", loader))
loader.exec_module(libtorch)


@unittest.skipIf(libtorch.DARWIN, "the trees are as on Linux")
class LibtorchTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.home = Path(temporary.name)
        known = {"GLIMPSE_CACHE": str(self.home / "cache"), "GOTCH_LIBTORCH": str(self.home / "torch")}
        environment = mock.patch.dict(os.environ, known)
        environment.start()
        self.addCleanup(environment.stop)
        os.environ.pop("CGO_CFLAGS", None)
        cut = mock.patch.object(libtorch.gotch, "stand_in", return_value=Path("/cut/glimpse.work"))
        self.cut = cut.start()
        self.addCleanup(cut.stop)

    def make(self, version, symbol=libtorch.NEW_ABI, header="torch/csrc/api/include/torch/version.h", openmp="lib/libgomp-ab12.so.1"):
        major, minor = version.split(".")
        text = f"#define TORCH_VERSION_MAJOR {major}\n#define TORCH_VERSION_MINOR {minor}\n"
        files = {f"include/{header}": text, "lib/libc10.so": symbol.decode(), openmp: ""}
        for name, content in files.items():
            path = self.home / "torch" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    def test_old_libtorch(self):
        self.make("2.1", libtorch.OLD_ABI)
        found = libtorch.variables()
        self.assertRegex(found["CGO_CXXFLAGS"], r"^-std=gnu\+\+17 .* -D_GLIBCXX_USE_CXX11_ABI=0$")
        self.assertEqual(found["GOWORK"], "/cut/glimpse.work")
        self.assertNotIn("-g", found["CGO_CFLAGS"].split())

    def test_new_libtorch_keeps_its_version_elsewhere(self):
        self.make("2.15", header="torch/headeronly/version.h")
        self.assertRegex(libtorch.variables()["CGO_CXXFLAGS"], r"^-std=gnu\+\+20 .* -D_GLIBCXX_USE_CXX11_ABI=1$")

    def test_threads_wait_asleep_unless_told_otherwise(self):
        self.make("2.15")
        for name in [*libtorch.WAITING, "KMP_BLOCKTIME"]:
            os.environ.pop(name, None)
        seen = lambda: {name: value for name, value in libtorch.environment().items() if name in [*libtorch.WAITING, "KMP_BLOCKTIME", "GOWORK"]}
        self.assertEqual(seen(), {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "1000", "GOWORK": "/cut/glimpse.work"})
        os.environ["KMP_BLOCKTIME"] = "7"
        self.assertEqual(seen(), {"KMP_BLOCKTIME": "7", "GOWORK": "/cut/glimpse.work"})

    def test_versions_out_of_range(self):
        for version in ("1.13", "2.0", "2.16", "3.1"):
            with self.subTest(version):
                self.make(version)
                with self.assertRaisesRegex(fetch.Failure, f"is libtorch {version}; glimpse needs libtorch 2.1 to 2.15"):
                    libtorch.variables()

    def test_no_libtorch(self):
        with self.assertRaisesRegex(fetch.Failure, "is not libtorch"):
            libtorch.variables()

    def test_openmp_of_libtorch_is_linked_by_the_name_that_it_bears(self):
        self.make("2.5")
        for _ in range(2):
            flags = libtorch.link(libtorch.root())
            self.assertEqual(flags[-1], "-l:libgomp.so.1")
            (alias,) = [Path(f[len("-L") :]) for f in flags if f.startswith("-L") and "openmp" in f]
            self.assertEqual((alias / "libgomp.so.1").resolve(), (self.home / "torch/lib/libgomp-ab12.so.1").resolve())

    def test_libtorch_without_openmp_of_its_own(self):
        self.make("2.5", openmp="lib/README")
        self.assertEqual(libtorch.link(libtorch.root())[-1], "-lgomp")

    def test_packages_without_cxx_are_compiled_as_they_are_without_libtorch(self):
        self.make("2.5")
        self.assertNotIn("CGO_LDFLAGS", libtorch.variables())
        flags = self.cut.call_args.args[1]
        self.assertIn(f"-Wl,-rpath,{self.home / 'torch/lib'}", flags)

    def test_flags_of_the_user_stay(self):
        self.make("2.5")
        os.environ["CGO_CFLAGS"] = "-O3"
        self.assertEqual(libtorch.variables()["CGO_CFLAGS"], "-O3")

    def test_path_with_a_space(self):
        self.make("2.5")
        with mock.patch.object(libtorch.gotch, "stand_in", return_value=Path("/a b/glimpse.work")):
            with self.assertRaisesRegex(fetch.Failure, "cannot use a path with a space"):
                libtorch.variables()


if __name__ == "__main__":
    unittest.main()
