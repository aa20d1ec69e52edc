package models

import "glimpse/internal/torch"

// attentionPenalty returns the penalty of doubly stochastic attention, without its factor λ: Xu
// et al. 2015 (arXiv 1502.03044), equation 14,
//
//	1/N · Σₙ Σᵢ (1 − Σₜ αₙₜᵢ)²
//
// over N captions, an image's own regions i and the words t of a caption; packed words have no
// padding. weights are those of the M positions, M×R, or M×(R+1) with a sentinel's β, which is
// not a region: a word that attends to the sentinel attends less to the picture.
func (n *network) attentionPenalty(s *torch.Scope, weights *torch.Tensor, r regions, p positions) *torch.Tensor {
	captions, places := len(p.row), int(r.features.Size(1)) // N, R
	ofCaption := make([]float32, captions*len(p.input))     // N×M: 1 where a position is one of the caption's
	at := 0
	for _, size := range p.sizes {
		for row := range int(size) {
			ofCaption[row*len(p.input)+at] = 1
			at++
		}
	}
	once := make([]float32, captions*places) // N×R: 1 for an image's own regions
	for row, image := range p.rowImage {
		own := places
		if r.counts != nil {
			own = int(r.counts[image])
		}
		for i := range own {
			once[row*places+i] = 1
		}
	}
	looks := s.MatMul(s.FromFloats(n.device, ofCaption, int64(captions), int64(len(p.input))),
		s.Narrow(weights, 1, 0, int64(places))) // N×R
	left := s.Sub(s.FromFloats(n.device, once, int64(captions), int64(places)), looks)
	return s.MulScalar(s.Sum(s.Mul(left, left)), 1/float64(captions))
}
