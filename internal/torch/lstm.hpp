// An LSTM layer over packed captions, one node of the graph with its own backward pass.
#pragma once
#include "recurrence.hpp"

namespace {

// One step for rows [begin, end): gates from the input's and the state's part, each row 4H in
// PyTorch's order i, f, g, o. before are the memory cells before the step. gates keeps the
// gates, 4H a row, for the way back; memory and state are those after the step.
CLONED void lstm_step(const float *input, const float *part, const float *before, float *gates, float *memory,
                      float *state, int64_t begin, int64_t end, int64_t H) {
  for (int64_t r = begin; r < end; r++) {
    const float *x = input + r * 4 * H, *s = part + r * 4 * H, *b = before + r * H;
    float *__restrict keep = gates + r * 4 * H, *__restrict m = memory + r * H, *__restrict h = state + r * H;
#pragma GCC ivdep
    for (int64_t k = 0; k < H; k++) {
      const float i = vsigmoid(x[k] + s[k]);
      const float f = vsigmoid(x[H + k] + s[H + k]);
      const float g = vtanh(x[2 * H + k] + s[2 * H + k]);
      const float o = vsigmoid(x[3 * H + k] + s[3 * H + k]);
      keep[k] = i;
      keep[H + k] = f;
      keep[2 * H + k] = g;
      keep[3 * H + k] = o;
      m[k] = f * b[k] + i * g;
      h[k] = o * vtanh(m[k]);
    }
  }
}

// The way back through one step. dstate is the gradient of its states from the step after,
// dafter that from elsewhere; dmemory holds the gradient of its memory cells and gets that of those before.
CLONED void lstm_step_backward(const float *gates, const float *before, const float *memory, const float *dstate,
                               const float *dafter, float *dmemory, float *dgates, int64_t begin, int64_t end,
                               int64_t H) {
  for (int64_t r = begin; r < end; r++) {
    const float *keep = gates + r * 4 * H, *b = before + r * H, *m = memory + r * H, *ds = dstate + r * H,
                *da = dafter + r * H;
    float *__restrict dm = dmemory + r * H, *__restrict dx = dgates + r * 4 * H;
#pragma GCC ivdep
    for (int64_t k = 0; k < H; k++) {
      const float i = keep[k], f = keep[H + k], g = keep[2 * H + k], o = keep[3 * H + k];
      const float squashed = vtanh(m[k]), d = ds[k] + da[k];
      const float dc = dm[k] + d * o * (1.0f - squashed * squashed);
      dx[k] = dc * g * i * (1.0f - i);
      dx[H + k] = dc * b[k] * f * (1.0f - f);
      dx[2 * H + k] = dc * i * (1.0f - g * g);
      dx[3 * H + k] = d * squashed * o * (1.0f - o);
      dm[k] = dc * f;
    }
  }
}

struct PackedLSTM : torch::autograd::Function<PackedLSTM> {
  // input M×4H, start and memory N×H, weight 4H×H, bias 4H, sizes T: rows at each step, falling.
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext *ctx, Tensor input, Tensor start,
                                                Tensor memory, Tensor weight, Tensor bias, Tensor sizes) {
    const int64_t H = start.size(1), M = input.size(0), T = sizes.size(0);
    const int64_t *size = sizes.data_ptr<int64_t>();
    Tensor states = at::empty({M, H}), memories = at::empty({M, H}), before = at::empty({M, H}),
           gates = at::empty({M, 4 * H}), part;
    Tensor columns = weight.t().contiguous().t();  // laid out once as each step's product reads it
    if (in_bfloat16) columns = to_bfloat16(columns);
    const float *earlier = memory.data_ptr<float>();  // the memory cells before the step
    int64_t at = 0;
    for (int64_t t = 0; t < T; at += size[t++]) {
      const int64_t n = size[t];
      Tensor h = before.narrow(0, at, n);
      h.copy_(t == 0 ? start : states.narrow(0, at - size[t - 1], n));
      part = product(h, columns, bias);  // n×4H
      float *later = memories.data_ptr<float>() + at * H;
      at::parallel_for(0, n, rows_a_thread, [&](int64_t begin, int64_t end) {
        lstm_step(input.data_ptr<float>() + at * 4 * H, part.data_ptr<float>(), earlier,
                  gates.data_ptr<float>() + at * 4 * H, later, states.data_ptr<float>() + at * H, begin, end, H);
      });
      earlier = later;
    }
    ctx->set_materialize_grads(false);
    ctx->save_for_backward({in_bfloat16 ? columns : weight, sizes, memory, before, gates, memories});
    return {states, memories};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *ctx,
                                                 torch::autograd::variable_list grads) {
    auto kept = ctx->get_saved_variables();
    const Tensor &weight = kept[0], &sizes = kept[1], &memory = kept[2], &before = kept[3], &gates = kept[4], &memories = kept[5];
    const int64_t H = before.size(1), M = before.size(0), T = sizes.size(0);
    const int64_t *size = sizes.data_ptr<int64_t>();
    const Tensor dstates = grads[0].defined() ? grads[0].contiguous() : at::zeros({M, H});
    Tensor dgates = at::empty({M, 4 * H}), dstate = at::zeros({size[0], H}), dmemory = at::zeros({size[0], H});
    int64_t at = M;
    for (int64_t t = T - 1; t >= 0; t--) {
      const int64_t n = size[t];
      at -= n;
      if (grads[1].defined()) dmemory.narrow(0, 0, n).add_(grads[1].narrow(0, at, n));
      const float *earlier = t == 0 ? memory.data_ptr<float>() : memories.data_ptr<float>() + (at - size[t - 1]) * H;
      at::parallel_for(0, n, rows_a_thread, [&](int64_t begin, int64_t end) {
        lstm_step_backward(gates.data_ptr<float>() + at * 4 * H, earlier, memories.data_ptr<float>() + at * H,
                           dstate.data_ptr<float>(), dstates.data_ptr<float>() + at * H, dmemory.data_ptr<float>(),
                           dgates.data_ptr<float>() + at * 4 * H, begin, end, H);
      });
      dstate.narrow(0, 0, n).copy_(product(dgates.narrow(0, at, n), weight.t()));
    }
    return {dgates, dstate, dmemory, product(dgates.t(), alike(before.t(), weight)), dgates.sum(0), Tensor()};
  }
};

// The same on CUDA: a product and PyTorch's fused cell for each step, by autograd. cuDNN's LSTM,
// one call for all steps, keeps the memory of the last alone, and the sentinel needs all of them.
torch::autograd::variable_list packed_lstm_on_cuda(const Tensor &input, Tensor state, Tensor memory, const Tensor &weight,
                                                   const Tensor &bias, const Tensor &sizes) {
  const at::IntArrayRef size(sizes.data_ptr<int64_t>(), sizes.numel());
  const std::vector<Tensor> inputs = input.split_with_sizes(size);
  std::vector<Tensor> states, memories;
  for (size_t t = 0; t < size.size(); t++) {
    state = state.narrow(0, 0, size[t]), memory = memory.narrow(0, 0, size[t]);
    std::tie(state, memory, std::ignore) =
        at::_thnn_fused_lstm_cell(inputs[t], at::linear(state, weight, bias), memory);
    states.push_back(state), memories.push_back(memory);
  }
  return {at::cat(states), at::cat(memories)};
}

}  // namespace

void gl_packed_lstm(gl_tensor *out, gl_tensor input, gl_tensor start, gl_tensor memory, gl_tensor weight, gl_tensor bias,
                    gl_tensor sizes) {
  guarded([&] {
    const Tensor x = tensor_of(input).contiguous(), h = tensor_of(start).contiguous(), m = tensor_of(memory).contiguous(),
                 w = tensor_of(weight), b = tensor_of(bias).contiguous(), steps = tensor_of(sizes);
    TORCH_CHECK(steps.is_cpu() && steps.sum().item<int64_t>() == x.size(0) && steps[0].item<int64_t>() == h.size(0),
                "the sizes of the steps are not on the CPU, do not add up to the ", x.size(0), " rows, or the first is not ", h.size(0));
    const auto result = x.is_cpu() ? PackedLSTM::apply(x, h, m, w, b, steps) : packed_lstm_on_cuda(x, h, m, w, b, steps);
    out[0] = handle_of(result[0]);
    out[1] = handle_of(result[1]);
  });
}
