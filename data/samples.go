package data

import "slices"

// A Reward returns the rewards of sampled captions. images has the index of each caption's image
// in the data set. The last word of a finished caption is </s>.
type Reward func(images []int, captions [][]string) []float64

// Samples are sums over the captions sampled in an epoch of reinforcement.
type Samples struct {
	Captions   int     `json:"captions"`
	Tokens     int     `json:"tokens"`     // words, and </s> of finished captions
	Unfinished int     `json:"unfinished"` // captions cut off before </s>
	Empty      int     `json:"empty"`      // captions without a word
	Repeating  int     `json:"repeating"`  // captions with a word twice in a row, or a sequence of three words twice
	Different  int     `json:"different"`  // captions that differ from all earlier ones of the same image and step
	Reward     float64 `json:"reward"`
	Entropy    float64 `json:"entropy"` // of the distributions that the tokens were drawn from, in nats
}

// Add counts the captions of a step, each consecutive ones per image, with their rewards and the
// total entropy of their tokens.
func (s *Samples) Add(captions [][]int64, each int, rewards []float64, entropy float64) {
	for own := range slices.Chunk(captions, each) {
		for i, words := range own {
			s.Captions++
			s.Tokens += len(words)
			if !slices.ContainsFunc(own[:i], func(other []int64) bool { return slices.Equal(other, words) }) {
				s.Different++
			}
			ended := len(words) > 0 && words[len(words)-1] == EndID
			if ended {
				words = words[:len(words)-1]
			} else {
				s.Unfinished++
			}
			if len(words) == 0 {
				s.Empty++
			}
			if repeats(words) {
				s.Repeating++
			}
		}
	}
	for _, r := range rewards {
		s.Reward += r
	}
	s.Entropy += entropy
}

// repeats reports whether a caption has a word twice in a row, or a sequence of three words
// twice.
func repeats(words []int64) bool {
	for i := range words {
		if i > 0 && words[i] == words[i-1] {
			return true
		}
		for k := i + 1; k+3 <= len(words); k++ {
			if slices.Equal(words[i:i+3], words[k:k+3]) {
				return true
			}
		}
	}
	return false
}
