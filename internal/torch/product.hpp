// Matrix products of the CPU, in float32 or of operands rounded to bfloat16, and linear layers
// whose products, forward and backward, are these.
#pragma once
#include "shim.hpp"

#include <ATen/core/dispatch/Dispatcher.h>
#include <dlfcn.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/version.h>

using at::Tensor;

namespace {

// libtorch's door to oneDNN's inner product, which its own linear does not take.
using LinearPointwise = Tensor(const Tensor &, const Tensor &, const c10::optional<Tensor> &, c10::string_view,
                               c10::List<c10::optional<at::Scalar>>, c10::optional<c10::string_view>);

const c10::optional<c10::OperatorHandle> &door() {
  static const auto handle = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
  return handle;
}

// Whether oneDNN's products are the ones to take. After 2.1 it compiles a kernel for each shape, of which training has no end: measured
// with 2.15, half the speed on small products, and 0.9 GB more for a trial of experiments/flickr8k.yaml. MKL has no need of it,
// but keeps its best kernels for its maker's processors. 2.1 stays as published runs had it.
bool by_onednn() {
#if defined(__x86_64__) && defined(__GNUC__) && TORCH_VERSION_MINOR > 1
  __builtin_cpu_init();
  if (at::hasMKL() && __builtin_cpu_is("intel")) return false;
#endif
  return door().has_value();
}

// Below this many multiplications the call costs more than the kernel saves.
constexpr int64_t least_work = 1 << 16;

// Whether linear layers and recurrences that this thread runs now round the operands of their
// products, those of the gradients too, to bfloat16.
thread_local bool in_bfloat16 = false;

// t in bfloat16, dense in rows or in columns.
Tensor to_bfloat16(const Tensor &t) {
  const Tensor r = t.to(at::kBFloat16);
  return r.is_contiguous() || r.t().is_contiguous() ? r : r.contiguous();
}

// x·wᵀ + b of x M×I and w O×I in bfloat16; sums and result are float32. MKL has kernels for
// processors with instructions for it (AVX512_BF16, AMX), and computes the same without them.
Tensor bfloat16_product(const Tensor &x, const Tensor &w, const Tensor &b) {
  using Gemm = void(int layout, int trans_a, int trans_b, int m, int n, int k, float alpha, const void *a, int lda,
                    const void *b, int ldb, float beta, float *c, int ldc);
  static const auto gemm = reinterpret_cast<Gemm *>(dlsym(RTLD_DEFAULT, "cblas_gemm_bf16bf16f32"));
  if (gemm == nullptr) {  // a libtorch without MKL
    const Tensor xf = x.to(at::kFloat), wf = w.to(at::kFloat);
    return b.defined() ? at::addmm(b, xf, wf.t()) : xf.mm(wf.t());
  }
  constexpr int row_major = 101, plain = 111, transposed = 112;  // as in mkl_cblas.h
  const int M = x.size(0), I = x.size(1), O = w.size(0);
  const bool in_rows = x.is_contiguous(), w_in_rows = w.is_contiguous();
  Tensor y = at::empty({M, O}, at::kFloat);
  if (b.defined()) y.copy_(b);
  gemm(row_major, in_rows ? plain : transposed, w_in_rows ? transposed : plain, M, O, I, 1, x.data_ptr(), in_rows ? I : M,
       w.data_ptr(), w_in_rows ? I : O, b.defined() ? 1 : 0, y.data_ptr<float>(), O);
  return y;
}

// x·wᵀ + b, M×O, of x M×I and w O×I; b may be undefined. If w is in bfloat16, so is the product.
// Otherwise it is oneDNN's where that is better and the operands are large enough: it uses what
// the processor has, whoever made it. What is no dense matrix, in rows or, for w, in columns, is
// copied first. w is fastest in columns.
Tensor product(const Tensor &x, const Tensor &w, const Tensor &b = {}) {
  at::AutoDispatchBelowAutograd below;
  if (w.scalar_type() == at::kBFloat16) return bfloat16_product(to_bfloat16(x), w, b);
  static const bool onednn = by_onednn();
  if (!onednn || x.scalar_type() != at::kFloat || x.numel() * w.size(0) < least_work)
    return b.defined() ? at::addmm(b, x, w.t()) : x.mm(w.t());
  static const auto linear = door()->typed<LinearPointwise>();
  // Given a part of a wider matrix, oneDNN computes with a reference loop.
  const Tensor dense = w.is_contiguous() || w.t().is_contiguous() ? w : w.contiguous();
  return linear.call(x, dense, b.defined() ? c10::make_optional(b) : c10::nullopt, "none",
                     c10::List<c10::optional<at::Scalar>>(), c10::nullopt);
}

// t in bfloat16 where w is.
Tensor alike(const Tensor &t, const Tensor &w) { return w.scalar_type() == at::kBFloat16 ? to_bfloat16(t) : t; }

struct Linear : torch::autograd::Function<Linear> {
  static Tensor forward(torch::autograd::AutogradContext *ctx, Tensor x, Tensor w, c10::optional<Tensor> b) {
    if (in_bfloat16) x = to_bfloat16(x), w = to_bfloat16(w);
    ctx->save_for_backward({x, w});
    ctx->saved_data["biased"] = b.has_value();
    return product(x, w, b.value_or(Tensor()));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *ctx,
                                                 torch::autograd::variable_list grads) {
    auto kept = ctx->get_saved_variables();
    const Tensor &x = kept[0], &w = kept[1];
    Tensor dy = grads[0].contiguous(), dx, dw, db;
    if (ctx->saved_data["biased"].toBool() && ctx->needs_input_grad(2)) db = dy.sum(0);
    dy = alike(dy, w);
    if (ctx->needs_input_grad(0)) dx = product(dy, w.t());
    if (ctx->needs_input_grad(1)) dw = product(dy.t(), x.t());
    return {dx, dw, db};
  }
};

}  // namespace

gl_tensor gl_linear(gl_tensor x, gl_tensor w, gl_tensor b) {
  return guarded<gl_tensor>(nullptr, [&] {
    const Tensor &in = tensor_of(x), &weight = tensor_of(w);
    const auto bias = b ? c10::make_optional(tensor_of(b)) : c10::nullopt;
    if (!in.is_cpu()) {
      if (!in_bfloat16) return handle_of(at::linear(in, weight, bias));
      const Tensor y = at::linear(in.to(at::kBFloat16), weight.to(at::kBFloat16)).to(at::kFloat);
      return handle_of(bias ? y + *bias : y);
    }
    TORCH_CHECK(in.dim() >= 1 && weight.dim() == 2 && in.size(-1) == weight.size(1) && (!b || bias->numel() == weight.size(0)),
                "linear: shapes do not fit: ", in.sizes(), " by ", weight.sizes());
    auto shape = in.sizes().vec();
    shape.back() = weight.size(0);
    return handle_of(Linear::apply(in.reshape({-1, weight.size(1)}), weight, bias).view(shape));
  });
}

int gl_set_bfloat16(int on) {
  const int before = in_bfloat16;
  in_bfloat16 = on != 0;
  return before;
}

gl_tensor gl_operand(gl_tensor t) {
  return guarded<gl_tensor>(nullptr, [&] {
    const Tensor &x = tensor_of(t);
    return handle_of(in_bfloat16 ? to_bfloat16(x) : x);
  });
}
