// Package exports hands results over to other programs: MLflow, TensorBoard,
// spreadsheets and data frames, and whatever scores COCO's JSON of results.
//
// It takes runs as the store holds them and writes them elsewhere. Exporting
// again replaces what was exported before and doubles nothing. It reads the
// store alone: no model, no data set. It must import nothing of ours but
// internal/store and internal/atomicfile.
//
// MLflow and TensorBoard get the same names: train/loss, train/lr,
// train/captions_per_second and val/METRIC are curves over epochs; best_val/METRIC
// and test/METRIC are the run's scores. Metrics are fractions of 1, CIDEr
// unscaled, as in `glimpse runs --json`.
package exports
