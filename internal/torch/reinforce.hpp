// Words drawn from logits, and the loss whose terms have weights: what reinforcement takes.
#pragma once
#include "recurrence.hpp"
#include "shim.hpp"
#include "vector.hpp"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

using at::Tensor;

namespace {

// e = exp(x − max x), 0 where that is beyond floats, so that what a mask forbids never comes.
// Gives Σ e, and in entropy that of the distribution e/Σ e, in nats.
CLONED float weigh_row(const float *__restrict x, float *__restrict e, int64_t V, float *entropy) {
  float top = x[0], sum_lane[lanes] = {0}, mean_lane[lanes] = {0};
  for (int64_t i = 1; i < V; i++) top = x[i] > top ? x[i] : top;
  int64_t i = 0;
  for (; i + lanes <= V; i += lanes)
    for (int k = 0; k < lanes; k++) {
      const float d = x[i + k] - top;
      e[i + k] = d < -87.0f ? 0.0f : vexp(d);
      sum_lane[k] += e[i + k];
      mean_lane[k] += e[i + k] * d;
    }
  float sum = lane_sum(sum_lane), mean = lane_sum(mean_lane);
  for (; i < V; i++) {
    const float d = x[i] - top;
    e[i] = d < -87.0f ? 0.0f : vexp(d);
    sum += e[i];
    mean += e[i] * d;
  }
  *entropy = std::log(sum) - mean / sum;
  return sum;
}

// The word at which the sum of the weights e passes the share u of their total; never one of weight 0.
int64_t word_at(const float *e, int64_t V, double share) {
  double sum = 0;
  int64_t last = 0;
  for (int64_t v = 0; v < V; v++) {
    if (e[v] == 0) continue;
    sum += e[v];
    last = v;
    if (sum > share) break;
  }
  return last;
}

// −Σ_n weight_n log p(target_n) over the rows of logits N×V.
struct WeightedCrossEntropy : torch::autograd::Function<WeightedCrossEntropy> {
  static Tensor forward(torch::autograd::AutogradContext *ctx, Tensor logits, Tensor targets, Tensor weights) {
    const int64_t N = logits.size(0), V = logits.size(1);
    const int64_t *target = targets.data_ptr<int64_t>();
    const float *weight = weights.data_ptr<float>();
    for (int64_t n = 0; n < N; n++)
      TORCH_CHECK(target[n] >= 0 && target[n] < V, "target ", target[n], " of row ", n, " is outside of ", V, " classes");
    Tensor gradient = at::empty_like(logits);
    std::vector<double> loss(N);
    at::parallel_for(0, N, rows_a_thread, [&](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; n++)
        loss[n] = weight[n] * cross_entropy_row(logits.data_ptr<float>() + n * V, gradient.data_ptr<float>() + n * V,
                                                target[n], V, /*smoothing=*/0, weight[n]);
    });
    double sum = 0;
    for (double l : loss) sum += l;
    ctx->save_for_backward({gradient});
    return at::full({}, sum, at::kFloat);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *ctx,
                                                 torch::autograd::variable_list grads) {
    Tensor gradient = ctx->get_saved_variables()[0];
    const double scale = grads[0].item<double>();
    return {scale == 1.0 ? gradient : gradient * scale, Tensor(), Tensor()};
  }
};

}  // namespace

void gl_sample(gl_tensor *out, gl_tensor logits, gl_tensor uniform) {
  guarded([&] {
    const Tensor x = tensor_of(logits).detach().cpu().contiguous(), u = tensor_of(uniform).contiguous();
    TORCH_CHECK(x.dim() == 2 && x.size(1) > 0 && u.is_cpu() && u.numel() == x.size(0), "want logits N×V and N numbers on the CPU");
    const int64_t N = x.size(0), V = x.size(1);
    Tensor words = at::empty({N}, at::kLong), entropy = at::empty({N}, at::kFloat);
    at::parallel_for(0, N, rows_a_thread, [&](int64_t begin, int64_t end) {
      std::vector<float> e(V);
      for (int64_t n = begin; n < end; n++) {
        const float sum = weigh_row(x.data_ptr<float>() + n * V, e.data(), V, entropy.data_ptr<float>() + n);
        words.data_ptr<int64_t>()[n] = word_at(e.data(), V, double(u.data_ptr<float>()[n]) * sum);
      }
    });
    out[0] = handle_of(words);
    out[1] = handle_of(entropy);
  });
}

gl_tensor gl_weighted_cross_entropy(gl_tensor logits, gl_tensor targets, gl_tensor weights) {
  return guarded<gl_tensor>(nullptr, [&] {
    const Tensor &x = tensor_of(logits), &t = tensor_of(targets), &w = tensor_of(weights);
    TORCH_CHECK(x.dim() == 2 && t.numel() == x.size(0) && w.numel() == x.size(0), "want logits N×V, N targets and N weights");
    if (x.is_cpu()) return handle_of(WeightedCrossEntropy::apply(x.contiguous(), t.contiguous(), w.contiguous()));
    return handle_of(at::cross_entropy_loss(x, t, {}, at::Reduction::None).mul(w).sum());
  });
}
