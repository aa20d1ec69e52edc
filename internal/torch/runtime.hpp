// Seeds, generators, threads, determinism, inference mode, data from Go, CUDA by dlopen.
#pragma once
#include "shim.hpp"

#include <ATen/Parallel.h>
#include <cstdlib>
#include <dlfcn.h>
#include <torch/version.h>

static at::Device device_of(int device) { return device < 0 ? at::Device(at::kCPU) : at::Device(at::kCUDA, device); }

static at::Generator generator_of(int device) { return at::globalContext().defaultGenerator(device_of(device)); }

void gl_seed(int64_t seed) {
  guarded([&] { at::manual_seed(seed); });
}

gl_tensor gl_generator_state(int device) {
  return guarded<gl_tensor>(nullptr, [&] {
    at::Generator g = generator_of(device);
    std::lock_guard<std::mutex> lock(g.mutex());
    return handle_of(g.get_state());
  });
}

void gl_set_generator_state(int device, gl_tensor state) {
  guarded([&] {
    at::Generator g = generator_of(device);
    std::lock_guard<std::mutex> lock(g.mutex());
    g.set_state(tensor_of(state));
  });
}

void gl_set_threads(int n) {
  guarded([&] {
    // The first operation of a thread sets its number to what any thread was told last. Asking has that done before.
    at::get_num_threads();
    at::set_num_threads(n);
  });
}

int gl_threads(void) { return at::get_num_threads(); }

void gl_set_deterministic(int on) {
  guarded([&] {
    // Without a fixed workspace cuBLAS may add in another order, and libtorch then refuses its products.
    if (on) setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
    at::globalContext().setDeterministicAlgorithms(on, /*warn_only=*/false);
    at::globalContext().setDeterministicCuDNN(on);
    at::globalContext().setBenchmarkCuDNN(!on);
  });
}

void gl_set_full_precision(void) {
  guarded([&] {
    at::globalContext().setAllowTF32CuDNN(false);
    at::globalContext().setAllowTF32CuBLAS(false);
  });
}

const char *gl_version(void) { return TORCH_VERSION; }

const char *gl_blas(void) { return at::hasMKL() ? "mkl" : at::hasLAPACK() ? "openblas" : "none"; }

const char *gl_library_path(void) {
  Dl_info info;
  return dladdr(reinterpret_cast<void *>(&at::get_num_threads), &info) && info.dli_fname ? info.dli_fname : "";
}

char *gl_load_cuda(const char *library) {
  return dlopen(library, RTLD_NOW | RTLD_GLOBAL) ? nullptr : strdup(dlerror());
}

char *gl_cuda_name(int device) {
  void *driver = dlopen("libcuda.so.1", RTLD_LAZY);
  if (driver == nullptr) return nullptr;
  char name[256] = "";
  int handle = 0;
  // As in cuda.h: 0 is success, and a CUdevice is an int.
  auto get = reinterpret_cast<int (*)(int *, int)>(dlsym(driver, "cuDeviceGet"));
  auto name_of = reinterpret_cast<int (*)(char *, int, int)>(dlsym(driver, "cuDeviceGetName"));
  bool known = get && name_of && get(&handle, device) == 0 && name_of(name, sizeof name, handle) == 0;
  return known ? strdup(name) : nullptr;
}

gl_tensor gl_from_data(const void *data, const int64_t *sizes, int n, int dtype, int device) {
  return guarded<gl_tensor>(nullptr, [&] {
    const at::Tensor there = at::from_blob(const_cast<void *>(data), at::IntArrayRef(sizes, n), at::ScalarType(dtype));
    return handle_of(there.to(device_of(device), /*non_blocking=*/false, /*copy=*/true));
  });
}

void *gl_inference_begin(void) {
  return guarded<void *>(nullptr, [&] { return new c10::InferenceMode(true); });
}

void gl_inference_end(void *guard) { delete static_cast<c10::InferenceMode *>(guard); }
