package metrics

// rougeBeta weighs recall against precision in ROUGE-L (coco-caption's value).
const rougeBeta = 1.2

// rougeL returns ROUGE-L of one image as a fraction of 1: the F-measure of the best
// precision and the best recall over the references, by the longest common
// subsequence with each (Lin 2004, "ROUGE: a package for automatic evaluation of
// summaries", ACL workshop Text Summarization Branches Out).
func rougeL(e *entry) float64 {
	precision, recall := 0.0, 0.0
	var row []int32
	for k := range e.references {
		ref := e.references[k].tokens
		var common int32
		common, row = longestCommon(e.candidate.tokens, ref, row)
		precision = max(precision, float64(common)/float64(len(e.candidate.tokens)))
		recall = max(recall, float64(common)/float64(len(ref)))
	}
	if precision == 0 || recall == 0 {
		return 0
	}
	const b2 = rougeBeta * rougeBeta
	return (1 + b2) * precision * recall / (recall + b2*precision)
}

// longestCommon returns the length of the longest common subsequence of two
// captions. row is scratch space, which it returns for reuse.
func longestCommon(a, b []uint32, row []int32) (int32, []int32) {
	row = append(row[:0], make([]int32, len(b)+1)...)
	for _, x := range a {
		diagonal := int32(0)
		for j, y := range b {
			above := row[j+1]
			if x == y {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	return row[len(b)], row
}
