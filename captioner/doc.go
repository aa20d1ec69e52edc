// Package captioner knows all that can be known of a captioner before it is
// made, and without libtorch: the arms, the encoders with the grids that they
// give, and the parameters. Study files, plans, reports and package models,
// which makes captioners, ask it.
package captioner
