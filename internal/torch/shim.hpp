// Shared by the C++ files of the shim.
#pragma once
#include <ATen/ATen.h>

#include <cstring>
#include <exception>

#include "shim.h"

// Defined by gotch: the message of the last exception of this thread.
extern thread_local char *torch_last_err;

// Runs f; an exception becomes torch_last_err and the result `otherwise`.
template <typename R, typename F>
R guarded(R otherwise, F f) {
  try {
    return f();
  } catch (const std::exception &e) {
    torch_last_err = strdup(e.what());
  } catch (...) {
    torch_last_err = strdup("unknown C++ exception");
  }
  return otherwise;
}

template <typename F>
void guarded(F f) {
  guarded(0, [&] {
    f();
    return 0;
  });
}

inline at::Tensor &tensor_of(gl_tensor t) { return *static_cast<at::Tensor *>(t); }
inline gl_tensor handle_of(at::Tensor t) { return new at::Tensor(std::move(t)); }
