// Additive attention for devices without a kernel of ours. The positions of an
// image are laid out as the row of a table, B×P, so that keys and values are read
// image by image as they are, and their gradients are sums: nothing is gathered
// for each position and nothing scattered. B×P×R×K values are stored.
#pragma once
#include "rows.hpp"

#include <torch/csrc/autograd/custom_function.h>

using at::Tensor;

namespace {

struct AttentionByTable : torch::autograd::Function<AttentionByTable> {
  // q M×K, key B×R×K, w K, value B×R×H, sentinel_key M×K, sentinel M×H; counts B, the regions of each image, or
  // no elements where all have R; cells B×P and slot M as in Groups.
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext *ctx, Tensor q, Tensor key, Tensor w,
                                                Tensor value, Tensor sentinel_key, Tensor sentinel, Tensor counts,
                                                Tensor cells, Tensor slot) {
    const int64_t B = key.size(0), R = key.size(1), K = key.size(2), P = cells.size(1), H = value.size(2);
    const Tensor column = w.reshape({K, 1}), all = cells.reshape({-1});
    const Tensor query = picked(q, all).view({B, P, 1, K});
    const Tensor looked = at::add(query, key.unsqueeze(1)).tanh_();                            // B×P×R×K
    Tensor e = looked.view({-1, K}).mm(column).view({B * P, R}), closed;
    if (counts.numel() > 0) {
      const Tensor beyond = at::arange(R, counts.options()).ge(counts.view({B, 1})).view({B, 1, R});
      e = e.view({B, P, R}).masked_fill(beyond, -std::numeric_limits<float>::infinity()).view({B * P, R});
    }
    e = e.index_select(0, slot);  // M×R
    const bool has = sentinel.numel() > 0;
    if (has) {
      closed = at::add(sentinel_key, q).tanh_();   // M×K
      e = at::cat({e, closed.mm(column)}, 1);      // M×(R+1)
    }
    const Tensor alpha = at::softmax(e, 1);
    const Tensor shares = picked(alpha.narrow(1, 0, R), all).view({B, P, R});
    Tensor context = at::bmm(shares, value).view({B * P, H}).index_select(0, slot);  // M×H
    if (has) context.addcmul_(alpha.narrow(1, R, 1), sentinel);
    ctx->save_for_backward({column, value, sentinel, all, slot, looked, closed, alpha, shares});
    ctx->set_materialize_grads(false);  // mostly nothing reaches the weights
    return {context, alpha};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *ctx,
                                                 torch::autograd::variable_list grads) {
    auto kept = ctx->get_saved_variables();
    const Tensor &column = kept[0], &value = kept[1], &sentinel = kept[2], &all = kept[3], &slot = kept[4], &looked = kept[5],
                 &closed = kept[6], &alpha = kept[7], &shares = kept[8];
    const int64_t B = looked.size(0), P = looked.size(1), R = looked.size(2), K = looked.size(3), H = value.size(2);
    const bool has = closed.defined();
    const Tensor dcontext = grads[0].defined() ? grads[0] : at::zeros({alpha.size(0), H}, value.options());
    const Tensor dtable = picked(dcontext, all).view({B, P, H});
    const Tensor dvalue = at::bmm(shares.transpose(1, 2), dtable);                                           // B×R×H
    Tensor dalpha = at::bmm(dtable, value.transpose(1, 2)).view({B * P, R}).index_select(0, slot);            // M×R
    if (has) dalpha = at::cat({dalpha, (dcontext * sentinel).sum(1, /*keepdim=*/true)}, 1);                   // M×(R+1)
    if (grads[1].defined()) dalpha = dalpha + grads[1];
    const Tensor de = at::_softmax_backward_data(dalpha, alpha, 1, at::kFloat);
    const Tensor dscore = picked(de.narrow(1, 0, R), all).view({-1, 1});                                      // BPR×1
    Tensor dw = looked.view({-1, K}).t().mm(dscore);                                                          // K×1
    const Tensor dsum = at::tanh_backward(dscore.mm(column.t()).view({B, P, R, K}), looked);                  // B×P×R×K
    Tensor dq = dsum.sum(2).view({B * P, K}).index_select(0, slot), dsentinel_key, dsentinel;                 // M×K
    if (has) {
      const Tensor dclosed = de.narrow(1, R, 1);  // M×1
      dsentinel_key = at::tanh_backward(dclosed.mm(column.t()), closed);
      dq.add_(dsentinel_key);
      dw.addmm_(closed.t(), dclosed);
      dsentinel = dcontext * alpha.narrow(1, R, 1);
    }
    return {dq, dsum.sum(1), dw.view({-1}), dvalue, dsentinel_key, dsentinel, Tensor(), Tensor(), Tensor()};
  }
};

// Gives context and weights. sentinel_key and sentinel have no elements where there is no sentinel, nor have counts where
// all images have the same number of regions.
std::vector<Tensor> attention_by_table(const Tensor &q, const Tensor &key, const Tensor &w, const Tensor &value,
                                       const Tensor &sentinel_key, const Tensor &sentinel, const Tensor &counts,
                                       const Tensor &cells, const Tensor &slot) {
  return AttentionByTable::apply(q, key, w.view({-1}), value, sentinel_key, sentinel, counts, cells, slot);
}

}  // namespace
