// What gotch does not bind, and our fused kernels, behind a C interface.
//
// A tensor is a torch::Tensor* as in gotch. A function that fails leaves its
// message where gotch leaves its own (torch_last_err, one a thread), so that Go
// finds every exception in one place.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void *gl_tensor;

// process-wide settings
void gl_seed(int64_t seed);
gl_tensor gl_generator_state(int device);
void gl_set_generator_state(int device, gl_tensor state);
void gl_set_threads(int n);
int gl_threads(void);
void gl_set_deterministic(int on);
void gl_set_full_precision(void);
const char *gl_version(void);
const char *gl_blas(void);
const char *gl_library_path(void);
char *gl_load_cuda(const char *library);
char *gl_cuda_name(int device);

// copies row-major data of n dimensions to a device
gl_tensor gl_from_data(const void *data, const int64_t *sizes, int n, int dtype, int device);

// inference mode of this thread
void *gl_inference_begin(void);
void gl_inference_end(void *guard);

// optimizer: gradients of all parameters at once
double gl_grad_norm(gl_tensor *params, int n);
void gl_zero_grad(gl_tensor *params, int n);
void gl_adam(gl_tensor *params, gl_tensor *first, gl_tensor *second, int n, double grad_scale,
             double lr, double beta1, double beta2, double epsilon, double weight_decay,
             int decoupled, int64_t step);
void gl_sgd(gl_tensor *params, gl_tensor *momenta, int n, double grad_scale, double lr,
            double momentum, double weight_decay);

// whether products of this thread are in bfloat16, see product.hpp; gives what it was
int gl_set_bfloat16(int on);
// t as products of this thread round their operands
gl_tensor gl_operand(gl_tensor t);

// x·wᵀ + b, b may be null; see product.hpp
gl_tensor gl_linear(gl_tensor x, gl_tensor w, gl_tensor b);

// rows of a tensor, see rows.hpp
gl_tensor gl_pick(gl_tensor rows, gl_tensor index, gl_tensor uses);

// layers as one node of the graph, float32; see attention.hpp, attention_table.hpp, recurrence.hpp and lstm.hpp
void gl_additive_attention(gl_tensor *out, gl_tensor q, gl_tensor key, gl_tensor w, gl_tensor value,
                           gl_tensor sentinel_key, gl_tensor sentinel, gl_tensor counts, gl_tensor order,
                           gl_tensor start, gl_tensor cells, gl_tensor slot, int by_table);
gl_tensor gl_packed_gru(gl_tensor input, gl_tensor start, gl_tensor weight, gl_tensor bias, gl_tensor sizes);
void gl_packed_lstm(gl_tensor *out, gl_tensor input, gl_tensor start, gl_tensor memory, gl_tensor weight, gl_tensor bias,
                    gl_tensor sizes);
gl_tensor gl_cross_entropy(gl_tensor logits, gl_tensor targets, double smoothing);

// words drawn from logits with their entropies, and a loss with weights; see reinforce.hpp
void gl_sample(gl_tensor *out, gl_tensor logits, gl_tensor uniform);
gl_tensor gl_weighted_cross_entropy(gl_tensor logits, gl_tensor targets, gl_tensor weights);

#ifdef __cplusplus
}
#endif
