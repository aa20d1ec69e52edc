// A file of its own, since how sqrt is compiled holds for the header that defines it too.
#pragma GCC optimize("no-math-errno", "no-trapping-math")
#include "adam.hpp"
#include "vector.hpp"

CLONED double sum_of_squares(const float *x, int64_t n) {
  double lane[lanes] = {0}, sum = 0;
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    for (int k = 0; k < lanes; k++) lane[k] += double(x[i + k]) * x[i + k];
  for (; i < n; i++) lane[0] += double(x[i]) * x[i];
  for (double v : lane) sum += v;
  return sum;
}

CLONED void adam(float *__restrict w, float *__restrict m, float *__restrict v, const float *__restrict g, int64_t n,
                 const AdamFactors f) {
  for (int64_t k = 0; k < n; k++) {
    const float d = g[k] * f.scale + f.l2 * w[k];
    m[k] += f.first * (d - m[k]);
    v[k] = f.second * v[k] + f.fresh_second * d * d;
    w[k] = f.shrink * w[k] - f.step_size * m[k] / (std::sqrt(v[k]) * f.inverse_root + f.epsilon);
  }
}
