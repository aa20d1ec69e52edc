// Package data turns a data set on disk, or one drawn from a seed, into what a captioner trains
// on: splits of images with tokenized captions, a vocabulary, batches in a reproducible order,
// pixels, and a cache of encoder features.
//
// It turns paths and an Options value into a Dataset. Load finds every fault in the files, with
// file and line, before a model exists. The caller passes the tokenizer in Options.Tokenize, so
// that training and scoring share it.
//
// Of this module's packages it may import captioner and those that import none: models and runner
// build on it. It knows nothing about tensors or libtorch: features are float16 bits.
//
// Shapes in comments: B images per batch, C captions per image, T tokens per caption, R grid
// regions per image, D features per region.
package data
