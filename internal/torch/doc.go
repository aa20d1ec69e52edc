// Package torch is the one door to libtorch: the only package that imports
// gotch, and the only one that runs C++.
//
// It takes Go slices and gives tensors, operations on them, gradients and
// fused kernels; it knows nothing of captions, studies or files.
//
// # Scopes
//
// Every operation is a method of a [Scope], and every tensor it makes is freed
// when the scope ends. A training step is a scope, so its memory is flat and
// the garbage collector has no part in it (tensors have no finalizers). What
// must live longer, such as parameters, is taken out by [Scope.Keep] and freed by
// [Tensor.Free].
//
// # Errors
//
// C++ exceptions become Go errors. The first one stays with its scope: later
// operations of that scope do nothing and return empty tensors, so that a
// forward pass reads as a formula and is checked once, by [Scope.Err] or by the
// functions that read values out. Nothing panics and nothing ends the process.
//
// # Threads
//
// libtorch keeps grad mode, inference mode and the last error for each
// thread of the operating system, and goroutines move between threads. [Run]
// therefore locks its goroutine to a thread for as long as its scope lives. A
// scope must not be used from another goroutine.
//
// An operation on the CPU is shared among [Threads] threads, and its result may
// depend on their number in the last digits. [OneThread] keeps it on the calling
// thread, for who computes several things side by side.
package torch
