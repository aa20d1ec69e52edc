// Matrix products of the CPU.
#pragma once
#include <ATen/ATen.h>

// x·wᵀ + b, M×O, of x M×I and w O×I; b may be undefined. It is oneDNN's product
// where libtorch has oneDNN and the operands are large enough: that uses what the
// processor has, whoever made it, where MKL keeps its widest kernels for one
// maker's. What is no dense matrix, in rows or, for w, in columns, is copied first.
// w is fastest in columns.
at::Tensor product(const at::Tensor &x, const at::Tensor &w, const at::Tensor &b = {});
