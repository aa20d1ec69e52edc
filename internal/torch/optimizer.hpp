// Optimizer steps over all parameters at once. Adam is one pass over gradient,
// parameter and state: on the CPU our own, on CUDA libtorch's fused kernel.
#pragma once
#include "adam.hpp"
#include "shim.hpp"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <cmath>

// Parameters that no gradient has reached are left alone, as PyTorch does.
template <typename F>
static void each_with_grad(gl_tensor *params, int n, F f) {
  for (int i = 0; i < n; i++) {
    at::Tensor &p = tensor_of(params[i]);
    if (p.grad().defined()) f(i, p, p.grad());
  }
}

// The elements that one thread takes at a time.
static constexpr int64_t grain = 1 << 15;

// The parameters that a gradient has reached, with it and the optimizer's moments.
struct Reached {
  std::vector<at::Tensor> params, grads, first, second;
};

double gl_grad_norm(gl_tensor *params, int n) {
  return guarded(0.0, [&] {
    at::NoGradGuard no_grad;
    double sum = 0;
    std::vector<at::Tensor> elsewhere;
    each_with_grad(params, n, [&](int, at::Tensor &, const at::Tensor &grad) {
      if (!grad.is_cpu()) return elsewhere.push_back(grad);
      at::Tensor g = grad.contiguous();
      const float *x = g.data_ptr<float>();
      // Fixed blocks, added in order: the same sum for any number of threads.
      int64_t blocks = (g.numel() + grain - 1) / grain;
      std::vector<double> partial(blocks);
      at::parallel_for(0, blocks, 1, [&](int64_t begin, int64_t end) {
        for (int64_t b = begin; b < end; b++) {
          const int64_t start = b * grain;
          partial[b] = sum_of_squares(x + start, std::min(grain, g.numel() - start));
        }
      });
      for (double v : partial) sum += v;
    });
    if (!elsewhere.empty()) {  // one wait for the device, not one a parameter
      const double norm = at::stack(at::_foreach_norm(elsewhere)).norm().item<double>();
      sum += norm * norm;
    }
    return std::sqrt(sum);
  });
}

void gl_zero_grad(gl_tensor *params, int n) {
  guarded([&] {
    for (int i = 0; i < n; i++) tensor_of(params[i]).mutable_grad().reset();
  });
}

void gl_adam(gl_tensor *params, gl_tensor *first, gl_tensor *second, int n, double grad_scale,
             double lr, double beta1, double beta2, double epsilon, double weight_decay,
             int decoupled, int64_t step) {
  guarded([&] {
    at::NoGradGuard no_grad;
    const double step_size = lr / (1 - std::pow(beta1, double(step)));
    const double root2 = std::sqrt(1 - std::pow(beta2, double(step)));
    AdamFactors factors;
    factors.scale = grad_scale;
    factors.l2 = decoupled ? 0 : weight_decay;
    factors.shrink = decoupled ? 1 - lr * weight_decay : 1;
    factors.first = 1 - beta1;
    factors.second = beta2;
    factors.fresh_second = 1 - beta2;
    factors.step_size = step_size;
    factors.inverse_root = 1 / root2;
    factors.epsilon = epsilon;
    Reached elsewhere;
    each_with_grad(params, n, [&](int i, at::Tensor &p, const at::Tensor &grad) {
      at::Tensor &m = tensor_of(first[i]), &v = tensor_of(second[i]);
      if (!p.is_cpu()) {
        elsewhere.params.push_back(p);
        elsewhere.grads.push_back(grad);
        elsewhere.first.push_back(m);
        elsewhere.second.push_back(v);
        return;
      }
      at::Tensor g = grad.contiguous();
      float *w = p.data_ptr<float>(), *a = m.data_ptr<float>(), *b = v.data_ptr<float>();
      const float *x = g.data_ptr<float>();
      at::parallel_for(0, p.numel(), grain, [&](int64_t begin, int64_t end) {
        adam(w + begin, a + begin, b + begin, x + begin, end - begin, factors);
      });
    });
    if (elsewhere.params.empty()) return;
    const auto options = elsewhere.params[0].options();
    const std::vector<at::Tensor> steps(elsewhere.params.size(), at::full({}, double(step), options));
    const at::Tensor divisor = at::full({}, 1 / grad_scale, options);
    auto all = [&](auto update) {
      update(elsewhere.params, elsewhere.grads, elsewhere.first, elsewhere.second, at::TensorList(), steps, lr, beta1, beta2,
             weight_decay, epsilon, /*amsgrad=*/false, /*maximize=*/false, divisor, c10::optional<at::Tensor>());
    };
    if (decoupled)
      all([](auto &&...args) { at::_fused_adamw_(args...); });
    else
      all([](auto &&...args) { at::_fused_adam_(args...); });
  });
}

void gl_sgd(gl_tensor *params, gl_tensor *momenta, int n, double grad_scale, double lr,
            double momentum, double weight_decay) {
  guarded([&] {
    at::NoGradGuard no_grad;
    each_with_grad(params, n, [&](int i, at::Tensor &p, const at::Tensor &grad) {
      at::Tensor g = grad * grad_scale;
      if (weight_decay != 0) g.add_(p, weight_decay);
      if (momentum != 0) g = tensor_of(momenta[i]).mul_(momentum).add_(g);
      p.add_(g, -lr);
    });
  });
}
