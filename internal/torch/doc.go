// Package torch is the only package that uses libtorch: it alone imports gotch and runs C++.
//
// It provides tensors from Go slices, operations on them, gradients and fused kernels. It knows
// nothing about captions, studies or files.
//
// # Scopes
//
// Every operation is a method of a [Scope], and every tensor it makes is freed when the scope
// ends. A training step is a scope, so its memory is constant and independent of the garbage
// collector (tensors have no finalizers). Use [Scope.Keep] for what must live longer, such as
// parameters, and free it with [Tensor.Free].
//
// # Errors
//
// C++ exceptions become Go errors. The scope keeps the first one: its later operations do nothing
// and return empty tensors, so that a forward pass reads like a formula and is checked once, by
// [Scope.Err] or by the functions that read values. Nothing panics or ends the process.
//
// # Threads
//
// libtorch keeps grad mode, inference mode and the last error per thread of the operating system,
// but goroutines move between threads. So [Run] locks its goroutine to a thread while its scope
// lives. A scope must not be used from another goroutine.
//
// An operation on the CPU uses [Threads] threads, and the last digits of its result may depend on
// their number. [OneThread] keeps it on the calling thread, for computing several things in
// parallel.
package torch
