"""Tests of gotch.py on a small module and gotch made here: no network, no Go, a temporary cache."""

import contextlib
import io
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import fetch
import gotch

GENERATED_GO = """package libtch

//#include "torch_api.h"
import "C"

import "unsafe"

func AtgAdd(ptr *Ctensor, self Ctensor, other Ctensor){
	C.atg_add(ptr, self, other)
}
func AtgCat(ptr *Ctensor, tensorsData []Ctensor, tensorsLen int){
ctensorsDataPtr := (*Ctensor)(unsafe.Pointer(&tensorsData[0]))
	C.atg_cat(ptr, ctensorsDataPtr, ctensorsLen(tensorsLen))
}
func AtgAlignTensors(tensorsData []Ctensor) *Ctensor {
	return C.atg_align_tensors(nil)
}
"""
TENSOR_GO = """package libtch

type Ctensor = C.tensor
type Cscalar = C.scalar

// a brace in a comment: }
func ctensorsLen(n int) C.int { return C.int(n) }

func AtNew() Ctensor { return C.at_new() }
"""
TORCH_API_H = """#ifdef __cplusplus
thread_local char *torch_last_err = nullptr;
extern "C" {
typedef torch::Tensor *tensor;
typedef torch::Scalar *scalar;
#define PROTECT(x)                                                             \\
  try {                                                                        \\
    x                                                                          \\
  } catch (const exception &e) {                                               \\
  }
#else
typedef void *tensor;
typedef void *scalar;
#endif
"""
TORCH_API_CPP = """#include "torch_api.h"
vector<torch::Tensor> of_carray_tensor(torch::Tensor **vs, int len) {
  return {"}"};
}

bool unused(const char *s) { return s; }

tensor at_new() {
  PROTECT(return new torch::Tensor();)
  return nullptr;
}
"""
GENERATED_CPP = """
void atg_add(tensor *out__, tensor self, tensor other) {
  PROTECT(
    auto outputs__ = torch::add(*self, *other);
  )
}

void atg_cat(tensor *out__, tensor *tensors_data, int tensors_len) {
  PROTECT(
    auto outputs__ = torch::cat(of_carray_tensor(tensors_data, tensors_len));
  )
}

tensor *atg_align_tensors(tensor *tensors_data) {
  return nullptr;
}
"""


class GotchTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        home = Path(temporary.name)
        environment = mock.patch.dict(os.environ, {"GLIMPSE_CACHE": str(home / "cache")})
        environment.start()
        self.addCleanup(environment.stop)
        quiet = contextlib.redirect_stderr(io.StringIO())
        quiet.__enter__()
        self.addCleanup(quiet.__exit__, None, None, None)
        self.module, self.source = home / "module", home / "gotch"
        for name, text in {
            "libtch/c-generated.go": GENERATED_GO,
            "libtch/tensor.go": TENSOR_GO,
            "libtch/torch_api.h": TORCH_API_H,
            "libtch/torch_api.cpp": TORCH_API_CPP,
            "libtch/torch_api_generated.cpp.h": GENERATED_CPP,
            "go.mod": "module github.com/sugarme/gotch\n",
        }.items():
            self.write(self.source / name, text)
        self.write(self.module / "go.mod", "module m\n\ngo 1.25\n\nrequire (\n\tgithub.com/sugarme/gotch v0.9.1\n)\n")
        self.write(self.module / "go.sum", "github.com/sugarme/gotch v0.9.1 h1:abc=\n")
        self.link = ["-L/torch/lib"]
        self.call("AtgAdd")

    def write(self, path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def call(self, *names):
        calls = "".join(f"\tlib.{name}()\n" for name in names)
        text = f'package torch\n\nimport lib "github.com/sugarme/gotch/libtch"\n\nfunc f(t lib.Ctensor) {{ // lib.NotThis\n{calls}}}\n'
        self.write(self.module / "internal/torch/ops.go", text)

    def stand_in(self):
        work = gotch.stand_in(self.module, self.link, self.source)
        made = {path.name: path.read_text() for path in (work.parent / "libtch").iterdir()}
        return work, made

    def test_keeps_what_is_called_and_no_more(self):
        _, made = self.stand_in()
        self.assertIn("func AtgAdd(", made["libtch.go"])
        self.assertIn("type Ctensor = C.tensor", made["libtch.go"])
        self.assertIn("void atg_add(tensor *out__, tensor self, tensor other);", made["torch_api.h"])
        self.assertIn("torch::add(*self, *other)", made["torch_api.cpp"])
        self.assertIn("#define PROTECT(x)", made["torch_api.cpp"])
        for name in ("Align", "align", "atg_cat", "of_carray", "unused", "Cscalar", "unsafe"):
            self.assertNotIn(name, "".join(made.values()))

    def test_follows_calls_in_go_and_in_cxx(self):
        self.call("AtgCat", "AtNew")
        _, made = self.stand_in()
        for name in ("func ctensorsLen(", 'import "unsafe"', "func AtNew() Ctensor { return C.at_new() }"):
            self.assertIn(name, made["libtch.go"])
        self.assertIn('return {"}"};\n}', made["torch_api.cpp"])
        self.assertNotIn("of_carray", made["torch_api.h"])  # C++ alone calls it

    def test_a_new_call_makes_a_new_cut(self):
        first, _ = self.stand_in()
        self.call("AtgAdd", "AtNew")
        second, made = self.stand_in()
        self.assertNotEqual(first, second)
        self.assertIn("func AtNew(", made["libtch.go"])

    def test_unknown_function(self):
        self.call("AtgAdd", "AtgMultiply")
        with self.assertRaisesRegex(fetch.Failure, r"internal/torch/ops.go:7: gotch has no AtgMultiply"):
            self.stand_in()

    def test_made_once(self):
        work, _ = self.stand_in()
        with mock.patch.object(gotch, "cut", side_effect=AssertionError("cut again")):
            self.assertEqual(gotch.stand_in(self.module, self.link, self.source), work)

    def test_work_file(self):
        work, _ = self.stand_in()
        self.assertEqual(
            work.read_text(), f"go 1.25\n\nuse {self.module}\n\nreplace github.com/sugarme/gotch => {work.parent}\n"
        )
        self.assertTrue((work.parent / "go.mod").is_file())

    def test_checkouts_share_the_cut(self):
        first, _ = self.stand_in()
        self.module = self.module.rename(self.module.with_name("elsewhere"))
        second, _ = self.stand_in()
        self.assertEqual(first.parent, second.parent)
        self.assertNotEqual(first, second)

    def test_links_libtorch_by_itself(self):
        first, made = self.stand_in()
        self.assertIn("// #cgo LDFLAGS: -L/torch/lib -ltorch_cpu -lc10\n", made["libtch.go"])
        self.link = ["-L/another/lib"]
        second, _ = self.stand_in()
        self.assertNotEqual(first.parent, second.parent)

    def test_another_version_makes_another_cut(self):
        first, _ = self.stand_in()
        self.write(self.module / "go.sum", "github.com/sugarme/gotch v0.9.1 h1:def=\n")
        second, _ = self.stand_in()
        self.assertNotEqual(first.parent, second.parent)

    def test_no_gotch_in_go_sum(self):
        self.write(self.module / "go.sum", "")
        with self.assertRaisesRegex(fetch.Failure, "have no version of github.com/sugarme/gotch"):
            self.stand_in()

    def test_another_layout_of_gotch_is_refused(self):
        self.write(self.source / "libtch/torch_api.h", "// moved\n")
        with self.assertRaisesRegex(fetch.Failure, "does not look like gotch"):
            self.stand_in()


if __name__ == "__main__":
    unittest.main()
