// Picked rows whose gradient is picked too, so that nothing is scattered.
#pragma once
#include "shim.hpp"

#include <torch/csrc/autograd/custom_function.h>

using at::Tensor;

namespace {

// The rows of x, U×X, that index names; row U, one beyond the last, is of zeros.
Tensor picked(const Tensor &x, const Tensor &index) {
  return at::cat({x, at::zeros({1, x.size(1)}, x.options())}).index_select(0, index);
}

struct Pick : torch::autograd::Function<Pick> {
  static Tensor forward(torch::autograd::AutogradContext *ctx, Tensor x, Tensor index, Tensor uses) {
    TORCH_CHECK(x.dim() == 2 && index.dim() == 1 && uses.dim() == 2 && uses.size(0) == x.size(0),
                "want rows U×X, an index of one dimension and uses U×P, not ", x.sizes(), ", ", index.sizes(), " and ", uses.sizes());
    ctx->save_for_backward({uses});
    return x.index_select(0, index);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *ctx,
                                                 torch::autograd::variable_list grads) {
    const Tensor uses = ctx->get_saved_variables()[0];
    Tensor dx = picked(grads[0], uses.reshape({-1}));  // UP×X
    if (uses.size(1) != 1) dx = dx.view({uses.size(0), uses.size(1), -1}).sum(1);
    return {dx, Tensor(), Tensor()};
  }
};

}  // namespace

gl_tensor gl_pick(gl_tensor rows, gl_tensor index, gl_tensor uses) {
  return guarded<gl_tensor>(nullptr, [&] { return handle_of(Pick::apply(tensor_of(rows), tensor_of(index), tensor_of(uses))); });
}
