// Elementary functions for inner loops that the compiler vectorizes: no
// branches, no calls. CLONED compiles a function for several instruction sets,
// of which the processor picks one at load time. A loop over several parts of
// a row needs ivdep besides: the compiler gives up at so many checks that they do not overlap.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define CLONED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONED
#endif
#define INLINE static inline __attribute__((always_inline))

// eˣ with a relative error below 3e-7, for x in ±87 and clamped there: range
// reduction by ln 2 in two parts, then the Taylor polynomial of degree 7.
INLINE float vexp(float x) {
  x = x < -87.0f ? -87.0f : x > 87.0f ? 87.0f : x;
  const float magic = 12582912.0f;  // 1.5·2²³: adding it rounds to an integer
  float shifted = x * 1.44269504f + magic;
  float n = shifted - magic;
  float r = x - n * 0.693359375f;
  r -= n * -2.12194440e-4f;
  float p = 1.98412698e-4f;
  p = p * r + 1.38888889e-3f;
  p = p * r + 8.33333333e-3f;
  p = p * r + 4.16666667e-2f;
  p = p * r + 1.66666667e-1f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  int32_t bits;
  memcpy(&bits, &shifted, 4);
  bits = (bits + 127 - 0x4B400000) << 23;
  float scale;
  memcpy(&scale, &bits, 4);
  return p * scale;
}

INLINE float vsigmoid(float x) { return 1.0f / (1.0f + vexp(-x)); }

// tanh x = 1 − 2/(e²ˣ + 1), with an absolute error below 2e-7.
INLINE float vtanh(float x) { return 1.0f - 2.0f / (vexp(2.0f * x) + 1.0f); }

// Lanes of a sum: a fixed number, so that the result does not depend on the
// instruction set that was picked beyond the rounding of fused operations.
constexpr int lanes = 16;

INLINE float lane_sum(const float *lane) {
  float s[8];
  for (int k = 0; k < 8; k++) s[k] = lane[k] + lane[k + 8];
  for (int k = 0; k < 4; k++) s[k] += s[k + 4];
  return (s[0] + s[2]) + (s[1] + s[3]);
}

// Σ a·b over n values.
INLINE float dot(const float *a, const float *b, int64_t n) {
  float lane[lanes] = {0};
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    for (int k = 0; k < lanes; k++) lane[k] += a[i + k] * b[i + k];
  float sum = lane_sum(lane);
  for (; i < n; i++) sum += a[i] * b[i];
  return sum;
}

// y += a·x over n values.
INLINE void axpy(float *__restrict y, float a, const float *__restrict x, int64_t n) {
  for (int64_t i = 0; i < n; i++) y[i] += a * x[i];
}
