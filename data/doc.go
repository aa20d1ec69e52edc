// Package data turns a data set on disk, or one drawn from a seed, into what a
// captioner trains on: images with tokenized captions in splits, a vocabulary,
// batches in a reproducible order, pixels, and a cache of encoder features.
//
// It takes paths and an Options value and gives a Dataset; everything that is
// wrong with the files is found by Load, with file and line, before a model
// exists. Text is split into words by the function the caller passes in
// Options.Tokenize, so that training and scoring share one tokenizer.
//
// Of this module's packages it may import captioner and those that import none:
// models and runner build on it. It knows nothing of tensors or libtorch:
// features come and go as float16 bits.
//
// Shapes in comments: B images a batch, C captions an image, T tokens a
// caption, R grid regions an image, D features a region.
package data
