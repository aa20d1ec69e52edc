package models

import (
	"math/rand/v2"
	"slices"

	"glimpse/data"
	"glimpse/internal/torch"
)

// positions are the words of a batch to predict, without padding: M of them, from N captions of B
// images. They are packed by time, as a recurrence reads them: the first words of all captions,
// longest caption first, then the second words, and so on.
type positions struct {
	input    []int64 // M: the word that is read
	target   []int64 // M: the word to predict
	image    []int64 // M: the row in the batch of the position's image
	previous []int64 // M: where the state before is, among the N first states followed by the M states
	sizes    []int64 // T: how many captions have a word at each step
	rowImage []int64 // N: the row in the batch of each caption's image
	row      []int   // N: the caption's number in the batch, b·C+c
	order    []int64 // M: the positions image by image
	start    []int64 // B+1: the bounds of each image's part of order
	slot     []int64 // M: b·P+i for the i-th position of image b, P the most that an image has
}

// pack lists the positions of a batch of B images with C captions of up to T
// tokens; empty captions have none.
func pack(b data.Batch) positions {
	rows, lengths := []int{}, make([]int, len(b.Images)*b.C)
	for row := range lengths {
		tokens := b.Tokens[row*b.T : (row+1)*b.T]
		length := slices.Index(tokens, data.PadID)
		if length < 0 {
			length = b.T
		}
		lengths[row] = length - 1 // the last token is read by nothing
		if length > 1 {
			rows = append(rows, row)
		}
	}
	slices.SortStableFunc(rows, func(x, y int) int { return lengths[y] - lengths[x] })

	p := positions{row: rows, start: make([]int64, len(b.Images)+1)}
	for _, row := range rows {
		p.rowImage = append(p.rowImage, int64(row/b.C))
	}
	before := int64(0) // where the states of the step before start
	for t, n := 0, len(rows); ; t++ {
		for n > 0 && lengths[rows[n-1]] <= t {
			n--
		}
		if n == 0 {
			break
		}
		at := int64(len(rows) + len(p.input))
		for i, row := range rows[:n] {
			p.input = append(p.input, b.Tokens[row*b.T+t])
			p.target = append(p.target, b.Tokens[row*b.T+t+1])
			p.image = append(p.image, p.rowImage[i])
			p.previous = append(p.previous, before+int64(i))
		}
		p.sizes = append(p.sizes, int64(n))
		before = at
	}
	p.group(len(b.Images))
	return p
}

// dropStream separates the random numbers for dropping words from others of the same seed.
const dropStream = 0x776f726473206472

// dropWords replaces each input word except <s> by <unk> with probability rate, as in Bowman et
// al. 2016 (arXiv 1511.06349). The choice depends only on seed, epoch and step: a step repeated
// after an interruption drops the same words, and so do all arms.
func (p *positions) dropWords(rate float64, seed int64, epoch, step int) {
	random := rand.New(rand.NewPCG(uint64(seed), dropStream^(uint64(epoch)<<32|uint64(step))))
	for i, word := range p.input {
		if random.Float64() < rate && word != data.StartID {
			p.input[i] = data.UnknownID
		}
	}
}

// group fills order, start and slot from image, for B images.
func (p *positions) group(images int) {
	p.start = make([]int64, images+1)
	for _, b := range p.image {
		p.start[b+1]++
	}
	longest := slices.Max(p.start)
	for b := range images {
		p.start[b+1] += p.start[b]
	}
	next := slices.Clone(p.start)
	p.order, p.slot = make([]int64, len(p.image)), make([]int64, len(p.image))
	for m, b := range p.image {
		p.order[next[b]] = int64(m)
		p.slot[m] = b*longest + next[b] - p.start[b]
		next[b]++
	}
}

// usesOf lists, for each of a number of rows, where index names it, U×P, filled
// up with the length of index, as torch.Rows wants it.
func usesOf(index []int64, rows int) []int64 {
	count, most := make([]int, rows), 1
	for _, row := range index {
		count[row]++
		most = max(most, count[row])
	}
	uses := slices.Repeat([]int64{int64(len(index))}, rows*most)
	clear(count)
	for i, row := range index {
		uses[int(row)*most+count[row]] = int64(i)
		count[row]++
	}
	return uses
}

// packed is positions as tensors on the device of the network.
type packed struct {
	input, target             *torch.Tensor
	image, previous, rowImage torch.Rows
	sizes                     *torch.Tensor // on the CPU
	groups                    torch.Groups
}

func (p *positions) tensors(s *torch.Scope, device torch.Device) packed {
	images, states := len(p.start)-1, len(p.rowImage)+len(p.input)
	uses := [][]int64{usesOf(p.image, images), usesOf(p.previous, states), usesOf(p.rowImage, images)}
	t := s.FromIntLists(device, p.input, p.target, p.image, uses[0], p.previous, uses[1], p.rowImage, uses[2], p.order, p.start, p.slot)
	rows := func(index, uses *torch.Tensor, of int) torch.Rows {
		return torch.Rows{Index: index, Uses: s.View(uses, int64(of), -1)}
	}
	image := rows(t[2], t[3], images)
	return packed{
		input: t[0], target: t[1], image: image, previous: rows(t[4], t[5], states), rowImage: rows(t[6], t[7], images),
		sizes:  s.FromInts(torch.CPU, p.sizes, int64(len(p.sizes))),
		groups: torch.Groups{Order: t[8], Start: t[9], Cells: image.Uses, Slot: t[10]},
	}
}
