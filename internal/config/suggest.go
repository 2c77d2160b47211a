package config

// maxEdits is how far a name may be from the one that was meant.
const maxEdits = 2

// nearest is the candidate that is the fewest edits away from the word: at most two, and at most half of the
// candidate's letters, since two edits leave nothing to recognize of a name of three letters.
func nearest(word string, candidates []string) (string, bool) {
	best, found := maxEdits+1, ""
	for _, candidate := range candidates {
		if d := edits(word, candidate); d < best && d*2 <= len(candidate) {
			best, found = d, candidate
		}
	}
	return found, found != ""
}

// edits counts the letters to insert, delete, replace or swap with their neighbour to get from a to b (the
// optimal string alignment distance). It counts no further than needed: words of very different length give
// the difference of their lengths.
func edits(a, b string) int {
	if d := max(len(a)-len(b), len(b)-len(a)); d > maxEdits {
		return d
	}
	before, last := []int(nil), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replaced := last[j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			row[j] = min(last[j]+1, row[j-1]+1, replaced)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
