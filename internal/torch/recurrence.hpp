// A GRU layer over packed captions, and the loss of label smoothing, each one
// node of the graph with its own backward pass.
#pragma once
#include "product.hpp"
#include "shim.hpp"
#include "vector.hpp"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

using at::Tensor;

namespace {

// One step for rows [begin, end): gates from the input's and the state's part,
// each row 3H in PyTorch's order r, z, n. saved keeps r, z, n and the state's
// part of n, 4H a row, for the way back.
CLONED void gru_step(const float *input, const float *state, const float *before, float *after, float *saved,
                     int64_t begin, int64_t end, int64_t H) {
  for (int64_t i = begin; i < end; i++) {
    const float *x = input + i * 3 * H, *s = state + i * 3 * H, *h = before + i * H;
    float *__restrict out = after + i * H, *__restrict keep = saved + i * 4 * H;
#pragma GCC ivdep
    for (int64_t k = 0; k < H; k++) {
      const float r = vsigmoid(x[k] + s[k]);
      const float z = vsigmoid(x[H + k] + s[H + k]);
      const float n = vtanh(x[2 * H + k] + r * s[2 * H + k]);
      keep[k] = r;
      keep[H + k] = z;
      keep[2 * H + k] = n;
      keep[3 * H + k] = s[2 * H + k];
      out[k] = n + z * (h[k] - n);
    }
  }
}

// The way back through one step: dstate holds the gradient of `after` and gets
// that of `before` but for the part through the matrix, which the caller adds.
CLONED void gru_step_backward(const float *saved, const float *before, const float *dafter, float *dstate,
                              float *dinput, float *dhidden, int64_t begin, int64_t end, int64_t H) {
  for (int64_t i = begin; i < end; i++) {
    const float *keep = saved + i * 4 * H, *h = before + i * H, *da = dafter + i * H;
    float *__restrict ds = dstate + i * H, *__restrict dx = dinput + i * 3 * H, *__restrict dh = dhidden + i * 3 * H;
#pragma GCC ivdep
    for (int64_t k = 0; k < H; k++) {
      const float r = keep[k], z = keep[H + k], n = keep[2 * H + k], sn = keep[3 * H + k];
      const float d = ds[k] + da[k];
      const float dn = d * (1.0f - z) * (1.0f - n * n);
      const float dz = d * (h[k] - n) * z * (1.0f - z);
      const float dr = dn * sn * r * (1.0f - r);
      dx[k] = dh[k] = dr;
      dx[H + k] = dh[H + k] = dz;
      dx[2 * H + k] = dn;
      dh[2 * H + k] = dn * r;
      ds[k] = d * z;
    }
  }
}

// Rows that one thread takes at a time: enough to be worth waking it.
constexpr int64_t rows_a_thread = 16;

struct PackedGRU : torch::autograd::Function<PackedGRU> {
  // input M×3H, start N×H, weight 3H×H, bias 3H, sizes T: rows at each step, falling.
  static Tensor forward(torch::autograd::AutogradContext *ctx, Tensor input, Tensor start, Tensor weight, Tensor bias,
                        Tensor sizes) {
    const int64_t H = start.size(1), M = input.size(0), T = sizes.size(0);
    const int64_t *size = sizes.data_ptr<int64_t>();
    Tensor states = at::empty({M, H}), before = at::empty({M, H}), saved = at::empty({M, 4 * H}), part;
    Tensor columns = weight.t().contiguous().t();  // laid out once as each step's product reads it
    if (in_bfloat16) columns = to_bfloat16(columns);
    int64_t at = 0;
    for (int64_t t = 0; t < T; at += size[t++]) {
      const int64_t n = size[t];
      Tensor h = before.narrow(0, at, n);
      h.copy_(t == 0 ? start.narrow(0, 0, n) : states.narrow(0, at - size[t - 1], n));
      part = product(h, columns, bias);  // n×3H
      at::parallel_for(0, n, rows_a_thread, [&](int64_t begin, int64_t end) {
        gru_step(input.data_ptr<float>() + at * 3 * H, part.data_ptr<float>(), h.data_ptr<float>(),
                 states.data_ptr<float>() + at * H, saved.data_ptr<float>() + at * 4 * H, begin, end, H);
      });
    }
    ctx->save_for_backward({in_bfloat16 ? columns : weight, sizes, before, saved});
    return states;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *ctx,
                                                 torch::autograd::variable_list grads) {
    auto kept = ctx->get_saved_variables();
    const Tensor &weight = kept[0], &sizes = kept[1], &before = kept[2], &saved = kept[3];
    Tensor dstates = grads[0].contiguous();
    const int64_t H = before.size(1), M = before.size(0), T = sizes.size(0);
    const int64_t *size = sizes.data_ptr<int64_t>();
    Tensor dinput = at::empty({M, 3 * H}), dhidden = at::empty({M, 3 * H}),
           dstate = at::zeros({size[0], H});
    int64_t at = M;
    for (int64_t t = T - 1; t >= 0; t--) {
      const int64_t n = size[t];
      at -= n;
      at::parallel_for(0, n, rows_a_thread, [&](int64_t begin, int64_t end) {
        gru_step_backward(saved.data_ptr<float>() + at * 4 * H, before.data_ptr<float>() + at * H,
                          dstates.data_ptr<float>() + at * H, dstate.data_ptr<float>(),
                          dinput.data_ptr<float>() + at * 3 * H, dhidden.data_ptr<float>() + at * 3 * H, begin, end, H);
      });
      dstate.narrow(0, 0, n).add_(product(dhidden.narrow(0, at, n), weight.t()));
    }
    return {dinput, dstate, product(dhidden.t(), alike(before.t(), weight)), dhidden.sum(0), Tensor()};
  }
};

// The same on CUDA, by cuDNN's GRU: one call for all steps, where each product and
// kernel launched from here takes the CPU longer than the GPU. cuDNN knows no GRU
// whose input's part of the gates is given, so the input goes through an identity:
// exact without TF32, at the price of three products of M×3H by 3H×3H.
struct PackedGRUOnCUDA : torch::autograd::Function<PackedGRUOnCUDA> {
  static constexpr int64_t gru = 3, layers = 1, no_projection = 0, a_layer = 4;  // cudnnRNNMode_t, ..., weights of a layer
  static constexpr bool batch_first = false, train = true, both_ways = false;

  static Tensor forward(torch::autograd::AutogradContext *ctx, Tensor input, Tensor start, Tensor weight, Tensor bias,
                        Tensor sizes) {
    const int64_t H = start.size(1);
    // Clones, since what is flattened moves into the flat tensor.
    const std::vector<Tensor> weights = {at::eye(3 * H, weight.options()), weight.clone(at::MemoryFormat::Contiguous), at::zeros_like(bias), bias.clone()};
    const Tensor flat = at::_cudnn_rnn_flatten_weight(weights, a_layer, 3 * H, gru, H, no_projection, layers, batch_first, both_ways);
    const Tensor first = start.unsqueeze(0);  // 1×N×H
    auto [states, last, unused, reserve, unused2] =
        at::_cudnn_rnn(input, weights, a_layer, flat, first, {}, gru, H, no_projection, layers, batch_first, /*dropout=*/0, train,
                       both_ways, steps_of(sizes), {});
    torch::autograd::variable_list kept = {input, first, sizes, flat, states, reserve};
    kept.insert(kept.end(), weights.begin(), weights.end());
    ctx->save_for_backward(kept);
    return states;  // M×H
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *ctx,
                                                 torch::autograd::variable_list grads) {
    auto kept = ctx->get_saved_variables();
    const Tensor &input = kept[0], &first = kept[1], &sizes = kept[2], &flat = kept[3], &states = kept[4], &reserve = kept[5];
    auto [dinput, dfirst, unused, dweights] = at::_cudnn_rnn_backward(
        input, at::TensorList(kept).slice(6), a_layer, flat, first, {}, states, grads[0].contiguous(), {}, {}, gru, first.size(2),
        no_projection, layers, batch_first, /*dropout=*/0, train, both_ways, steps_of(sizes), {}, reserve, {true, true, false, true});
    return {dinput, dfirst.squeeze(0), dweights[1], dweights[3], Tensor()};
  }

  static at::IntArrayRef steps_of(const Tensor &sizes) { return {sizes.data_ptr<int64_t>(), size_t(sizes.numel())}; }
};

// Row n of the logits becomes the gradient of its loss; returns the loss:
// −Σ_v y_v log p_v with y = (1−smoothing)·onehot + smoothing/V.
CLONED double cross_entropy_row(const float *__restrict x, float *__restrict gradient, int64_t target, int64_t V,
                                float smoothing, float scale) {
  float top_lane[lanes], sum_lane[lanes] = {0}, all_lane[lanes] = {0};
  for (int k = 0; k < lanes; k++) top_lane[k] = x[0];
  int64_t i = 0;
  for (; i + lanes <= V; i += lanes)
    for (int k = 0; k < lanes; k++) {
      top_lane[k] = x[i + k] > top_lane[k] ? x[i + k] : top_lane[k];
      all_lane[k] += x[i + k];
    }
  float top = top_lane[0], all = lane_sum(all_lane);
  for (int k = 1; k < lanes; k++) top = top_lane[k] > top ? top_lane[k] : top;
  for (; i < V; i++) {
    top = x[i] > top ? x[i] : top;
    all += x[i];
  }
  for (i = 0; i + lanes <= V; i += lanes)
    for (int k = 0; k < lanes; k++) {
      gradient[i + k] = vexp(x[i + k] - top);
      sum_lane[k] += gradient[i + k];
    }
  float sum = lane_sum(sum_lane);
  for (; i < V; i++) {
    gradient[i] = vexp(x[i] - top);
    sum += gradient[i];
  }
  const float p = scale / sum, even = scale * smoothing / V;
  for (int64_t v = 0; v < V; v++) gradient[v] = gradient[v] * p - even;
  gradient[target] -= scale * (1.0f - smoothing);
  const double log_sum = std::log(double(sum)) + top;
  return (1.0 - smoothing) * (log_sum - x[target]) + smoothing * (log_sum - double(all) / V);
}

struct CrossEntropy : torch::autograd::Function<CrossEntropy> {
  static Tensor forward(torch::autograd::AutogradContext *ctx, Tensor logits, Tensor targets, double smoothing) {
    TORCH_CHECK(logits.dim() == 2 && targets.numel() == logits.size(0), "want logits N×V and N targets");
    const int64_t N = logits.size(0), V = logits.size(1);
    const int64_t *target = targets.data_ptr<int64_t>();
    for (int64_t n = 0; n < N; n++)
      TORCH_CHECK(target[n] >= 0 && target[n] < V, "target ", target[n], " of row ", n, " is outside of ", V, " classes");
    Tensor gradient = at::empty_like(logits);
    std::vector<double> loss(N);
    at::parallel_for(0, N, rows_a_thread, [&](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; n++)
        loss[n] = cross_entropy_row(logits.data_ptr<float>() + n * V, gradient.data_ptr<float>() + n * V, target[n], V,
                                    smoothing, 1.0f / N);
    });
    double sum = 0;
    for (double l : loss) sum += l;
    ctx->save_for_backward({gradient});
    return at::full({}, sum / N, at::kFloat);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *ctx,
                                                 torch::autograd::variable_list grads) {
    Tensor gradient = ctx->get_saved_variables()[0];
    const double scale = grads[0].item<double>();
    return {scale == 1.0 ? gradient : gradient * scale, Tensor(), Tensor()};
  }
};

}  // namespace

gl_tensor gl_packed_gru(gl_tensor input, gl_tensor start, gl_tensor weight, gl_tensor bias, gl_tensor sizes) {
  return guarded<gl_tensor>(nullptr, [&] {
    const Tensor x = tensor_of(input).contiguous(), h = tensor_of(start).contiguous(), w = tensor_of(weight),
                 b = tensor_of(bias).contiguous(), steps = tensor_of(sizes);
    TORCH_CHECK(steps.is_cpu() && steps.sum().item<int64_t>() == x.size(0) && steps[0].item<int64_t>() == h.size(0),
                "the sizes of the steps are not on the CPU, do not add up to the ", x.size(0), " rows, or the first is not ", h.size(0));
    return handle_of(x.is_cpu() ? PackedGRU::apply(x, h, w, b, steps) : PackedGRUOnCUDA::apply(x, h, w, b, steps));
  });
}

gl_tensor gl_cross_entropy(gl_tensor logits, gl_tensor targets, double smoothing) {
  return guarded<gl_tensor>(nullptr, [&] {
    return handle_of(CrossEntropy::apply(tensor_of(logits).contiguous(), tensor_of(targets), smoothing));
  });
}
