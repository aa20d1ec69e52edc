package data

import (
	"cmp"
	"slices"
)

// poolBatches is how many batches of images are sorted by length together. Larger pools need less
// padding but are less random.
const poolBatches = 32

// Epoch cuts the images of a split into batches of batchImages; the last may be smaller. The
// batches and their order are a pure function of the arguments and the data set. So a checkpoint
// only needs to store a position, and arms that share a seed see the same order.
//
// The images are shuffled, then sorted by their longest caption within each run of 32 batches, so
// that batches need little padding; then the batches are shuffled. Of an image with more than C
// captions, C are drawn in each epoch. An empty or unknown split, or batchImages below 1, gives
// no batches.
func (d *Dataset) Epoch(split string, batchImages int, seed int64, epoch int) []Batch {
	if batchImages < 1 || len(d.Splits[split]) == 0 {
		return nil
	}
	s := newStream(seed, useEpoch, uint64(epoch))
	order := slices.Clone(d.Splits[split])
	shuffle(s, order)
	longest := make(map[int]int, len(order))
	for _, i := range order {
		for c := range d.Images[i].captions() {
			longest[i] = max(longest[i], encodedLength(d.Images[i].text.length(c), d.Options.MaxLength))
		}
	}
	var batches []Batch
	for pool := range slices.Chunk(order, poolSize(batchImages, len(order))) {
		slices.SortStableFunc(pool, func(a, b int) int { return cmp.Compare(longest[a], longest[b]) })
		for images := range slices.Chunk(pool, batchImages) {
			batches = append(batches, Batch{Images: images})
		}
	}
	shuffle(s, batches)
	for k := range batches {
		d.fill(s, &batches[k])
	}
	return batches
}

// poolSize is how many images are sorted together, at most the total.
func poolSize(batchImages, total int) int {
	if batchImages >= total {
		return total
	}
	return min(poolBatches*batchImages, total)
}

// fill writes the tokens of a batch whose images are set.
func (d *Dataset) fill(s stream, b *Batch) {
	b.C = d.Options.CaptionsPerImage
	chosen := make([][]int64, 0, len(b.Images)*b.C)
	for _, i := range b.Images {
		captions := d.encode(i)
		if len(captions) > b.C {
			some := pick(s, len(captions), b.C)
			slices.Sort(some)
			for _, k := range some {
				chosen = append(chosen, captions[k])
			}
			continue
		}
		chosen = append(chosen, captions...)
		for range b.C - len(captions) {
			chosen = append(chosen, nil)
		}
	}
	for _, ids := range chosen {
		b.T = max(b.T, len(ids))
	}
	b.Tokens = make([]int64, len(chosen)*b.T) // PadID is 0
	for r, ids := range chosen {
		copy(b.Tokens[r*b.T:], ids)
	}
}

// encode returns the ids of each caption of image i: <s> words </s>, cut to MaxLength.
func (d *Dataset) encode(i int) [][]int64 {
	var captions [][]int64
	for _, tokens := range d.Images[i].Tokens() {
		captions = append(captions, d.Vocabulary.Encode(tokens, d.Options.MaxLength))
	}
	return captions
}
