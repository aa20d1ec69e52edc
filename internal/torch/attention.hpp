// Additive attention over the grid regions of each position's image, without
// ever writing the positions×regions×size values of tanh(k + q) to memory.
//
// With regions r of the image of position m, and the sentinel as one region
// more where there is one:
//   e_mr = Σ_j w_j tanh(k_rj + q_mj)     α_m = softmax(e_m)     c_m = Σ_r α_mr v_r
// Where images have different numbers of regions, an image's first are its own: the others have no
// weight, and neither does anything flow back to them.
#pragma once
#include "attention_table.hpp"
#include "shim.hpp"
#include "vector.hpp"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

using at::Tensor;

namespace {

// What the kernels read and write, M positions, B images, R regions.
struct Attention {
  const float *q, *key, *w, *value;  // M×K, B×R×K, K, B×R×H
  const float *sentinel_key, *sentinel;  // M×K, M×H, or null
  const int64_t *order, *start;      // M positions grouped by image; B+1 bounds
  const int64_t *counts;             // B: the regions of each image, or null where all have R
  int64_t R, K, H, places;           // places: R, +1 with a sentinel
};

INLINE float score(const float *k, const float *q, const float *w, int64_t n) {
  float lane[lanes] = {0};
  int64_t j = 0;
  for (; j + lanes <= n; j += lanes)
    for (int i = 0; i < lanes; i++) lane[i] += w[j + i] * vtanh(k[j + i] + q[j + i]);
  float sum = lane_sum(lane);
  for (; j < n; j++) sum += w[j] * vtanh(k[j] + q[j]);
  return sum;
}

CLONED void forward_image(const Attention &a, int64_t b, float *alpha, float *context) {
  const int64_t R = a.counts ? a.counts[b] : a.R;
  for (int64_t i = a.start[b]; i < a.start[b + 1]; i++) {
    const int64_t m = a.order[i];
    float *e = alpha + m * a.places, *c = context + m * a.H;
    const float *q = a.q + m * a.K;
    for (int64_t r = 0; r < R; r++) e[r] = score(a.key + (b * a.R + r) * a.K, q, a.w, a.K);
    for (int64_t r = R; r < a.R; r++) e[r] = e[0];  // any score: its weight becomes 0
    if (a.sentinel) e[a.R] = score(a.sentinel_key + m * a.K, q, a.w, a.K);
    float top = e[0], sum = 0;
    for (int64_t r = 1; r < a.places; r++) top = e[r] > top ? e[r] : top;
    for (int64_t r = 0; r < a.places; r++) e[r] = vexp(e[r] - top);
    for (int64_t r = R; r < a.R; r++) e[r] = 0;
    for (int64_t r = 0; r < a.places; r++) sum += e[r];
    const float scale = 1.0f / sum;
    for (int64_t r = 0; r < a.places; r++) e[r] *= scale;
    if (a.sentinel)
      for (int64_t h = 0; h < a.H; h++) c[h] = e[a.R] * a.sentinel[m * a.H + h];
    else
      std::memset(c, 0, a.H * sizeof(float));
    for (int64_t r = 0; r < R; r++) axpy(c, e[r], a.value + (b * a.R + r) * a.H, a.H);
  }
}

// Gradients, of the shapes of what they belong to; w has a row for each image.
struct Gradients {
  float *q, *key, *w, *value, *sentinel_key, *sentinel;
};

// Adds the gradient that reaches one place's score to those of its key, the
// query and w.
INLINE void score_backward(float de, const float *k, const float *q, const float *w, float *__restrict dk,
                           float *__restrict dq, float *__restrict dw, int64_t n) {
  for (int64_t j = 0; j < n; j++) {
    const float t = vtanh(k[j] + q[j]);
    const float g = de * w[j] * (1.0f - t * t);
    dk[j] += g;
    dq[j] += g;
    dw[j] += de * t;
  }
}

// dalpha, M×places, is what reaches the weights themselves, or null where nothing does.
CLONED void backward_image(const Attention &a, int64_t b, const float *alpha, const float *dcontext, const float *dalpha,
                           const Gradients &g, float *de) {
  const int64_t R = a.counts ? a.counts[b] : a.R;
  float *dw = g.w + b * a.K;
  for (int64_t i = a.start[b]; i < a.start[b + 1]; i++) {
    const int64_t m = a.order[i];
    const float *p = alpha + m * a.places, *dc = dcontext + m * a.H, *q = a.q + m * a.K;
    float mean = 0;
    for (int64_t r = R; r < a.R; r++) de[r] = 0;
    for (int64_t r = 0; r < R; r++) {
      de[r] = dot(dc, a.value + (b * a.R + r) * a.H, a.H);
      axpy(g.value + (b * a.R + r) * a.H, p[r], dc, a.H);
    }
    if (a.sentinel) {
      de[a.R] = dot(dc, a.sentinel + m * a.H, a.H);
      for (int64_t h = 0; h < a.H; h++) g.sentinel[m * a.H + h] = p[a.R] * dc[h];
    }
    if (dalpha)
      for (int64_t r = 0; r < a.places; r++) de[r] += dalpha[m * a.places + r];
    for (int64_t r = 0; r < a.places; r++) mean += p[r] * de[r];
    for (int64_t r = 0; r < a.places; r++) de[r] = p[r] * (de[r] - mean);
    float *dq = g.q + m * a.K;
    for (int64_t r = 0; r < R; r++)
      score_backward(de[r], a.key + (b * a.R + r) * a.K, q, a.w, g.key + (b * a.R + r) * a.K, dq, dw, a.K);
    if (a.sentinel)
      score_backward(de[a.R], a.sentinel_key + m * a.K, q, a.w, g.sentinel_key + m * a.K, dq, dw, a.K);
  }
}

Attention view(const Tensor &q, const Tensor &key, const Tensor &w, const Tensor &value, const Tensor &sentinel_key,
               const Tensor &sentinel, const Tensor &order, const Tensor &start, const Tensor &counts) {
  const bool has = sentinel.numel() > 0;
  return {q.data_ptr<float>(), key.data_ptr<float>(), w.data_ptr<float>(), value.data_ptr<float>(),
          has ? sentinel_key.data_ptr<float>() : nullptr, has ? sentinel.data_ptr<float>() : nullptr,
          order.data_ptr<int64_t>(), start.data_ptr<int64_t>(), counts.numel() > 0 ? counts.data_ptr<int64_t>() : nullptr,
          key.size(1), key.size(2), value.size(2), key.size(1) + (has ? 1 : 0)};
}

struct AdditiveAttention : torch::autograd::Function<AdditiveAttention> {
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext *ctx, Tensor q, Tensor key, Tensor w,
                                                Tensor value, Tensor sentinel_key, Tensor sentinel, Tensor order,
                                                Tensor start, Tensor counts) {
    const Attention a = view(q, key, w, value, sentinel_key, sentinel, order, start, counts);
    Tensor alpha = at::empty({q.size(0), a.places}), context = at::empty({q.size(0), a.H});
    at::parallel_for(0, key.size(0), 1, [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; b++)
        forward_image(a, b, alpha.data_ptr<float>(), context.data_ptr<float>());
    });
    ctx->save_for_backward({q, key, w, value, sentinel_key, sentinel, order, start, counts, alpha});
    ctx->set_materialize_grads(false);  // mostly nothing reaches the weights
    return {context, alpha};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *ctx,
                                                 torch::autograd::variable_list grads) {
    auto s = ctx->get_saved_variables();
    const Attention a = view(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8]);
    const bool has = a.sentinel != nullptr;
    const int64_t images = s[1].size(0);
    const Tensor dcontext = grads[0].defined() ? grads[0].contiguous() : at::zeros({s[0].size(0), a.H}),
                 dalpha = grads[1].defined() ? grads[1].contiguous() : Tensor();
    Tensor dq = at::zeros_like(s[0]), dkey = at::zeros_like(s[1]), dvalue = at::zeros_like(s[3]),
           dw = at::zeros({images, a.K}), dsentinel_key = has ? at::zeros_like(s[4]) : Tensor(),
           dsentinel = has ? at::empty_like(s[5]) : Tensor();
    const Gradients g = {dq.data_ptr<float>(), dkey.data_ptr<float>(), dw.data_ptr<float>(), dvalue.data_ptr<float>(),
                         has ? dsentinel_key.data_ptr<float>() : nullptr, has ? dsentinel.data_ptr<float>() : nullptr};
    at::parallel_for(0, images, 1, [&](int64_t begin, int64_t end) {
      std::vector<float> de(a.places);
      for (int64_t b = begin; b < end; b++)
        backward_image(a, b, s[9].data_ptr<float>(), dcontext.data_ptr<float>(),
                       dalpha.defined() ? dalpha.data_ptr<float>() : nullptr, g, de.data());
    });
    return {dq, dkey, dw.sum(0).view_as(s[2]), dvalue, dsentinel_key, dsentinel, Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace

void gl_additive_attention(gl_tensor *out, gl_tensor q, gl_tensor key, gl_tensor w, gl_tensor value,
                           gl_tensor sentinel_key, gl_tensor sentinel, gl_tensor counts, gl_tensor order, gl_tensor start,
                           gl_tensor cells, gl_tensor slot, int by_table) {
  guarded([&] {
    const Tensor x = tensor_of(q).contiguous(), k = tensor_of(key).contiguous(), weight = tensor_of(w).contiguous(),
                 v = tensor_of(value).contiguous();
    Tensor sk = at::empty({0}), s = sk, n = sk;  // no sentinel, no counts; an undefined tensor cannot be an argument
    if (sentinel) sk = tensor_of(sentinel_key).contiguous(), s = tensor_of(sentinel).contiguous();
    if (counts) {
      n = tensor_of(counts).contiguous();
      if (n.is_cpu())
        TORCH_CHECK(n.min().item<int64_t>() >= 1 && n.max().item<int64_t>() <= k.size(1), "the images' regions are ", n,
                    ", and there are ", k.size(1));
    }
    auto result = by_table ? attention_by_table(x, k, weight, v, sk, s, n, tensor_of(cells), tensor_of(slot))
                           : AdditiveAttention::apply(x, k, weight, v, sk, s, tensor_of(order), tensor_of(start), n);
    out[0] = handle_of(result[0]);
    out[1] = handle_of(result[1]);
  });
}
