// Rows without scattering, and what is built on them.
#pragma once
#include <ATen/ATen.h>

// The rows of x, U×X, that index names; row U, one beyond the last, is of zeros.
at::Tensor picked(const at::Tensor &x, const at::Tensor &index);

// Additive attention in libtorch's own operations; gives context and weights.
// sentinel_key and sentinel have no elements where there is no sentinel.
std::vector<at::Tensor> attention_by_table(const at::Tensor &q, const at::Tensor &key, const at::Tensor &w,
                                           const at::Tensor &value, const at::Tensor &sentinel_key,
                                           const at::Tensor &sentinel, const at::Tensor &cells, const at::Tensor &slot);
