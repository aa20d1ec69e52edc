// The loops of the optimizers.
#pragma once
#include <cstdint>

// Σ x² over n values, in a fixed order.
double sum_of_squares(const float *x, int64_t n);

// What Adam multiplies with, the same for all elements of a step.
struct AdamFactors {
  float scale, l2, shrink, first, second, fresh_second, step_size, inverse_root, epsilon;
};

// Adam on n elements: parameter w, moments m and v, gradient g.
void adam(float *__restrict w, float *__restrict m, float *__restrict v, const float *__restrict g, int64_t n,
          const AdamFactors f);
