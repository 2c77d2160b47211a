package redact

import (
	"slices"
	"strings"
	"sync"
)

// MinLength is the length in bytes from which a secret, or one line of it, is covered. Covering shorter ones
// would blank every brace and digit of a log.
const MinLength = 4

// Redactor covers secrets in text. Its methods may be called from several goroutines.
type Redactor struct {
	mu      sync.RWMutex
	secrets index
	facts   index
}

// NewRedactor returns a Redactor that knows no secret yet.
func NewRedactor() *Redactor {
	return &Redactor{secrets: newIndex(), facts: newIndex()}
}

// Add makes secrets known: each whole, each of its lines, and the JSON, URL, HTML and base64 forms of these. What is
// shorter than [MinLength] is left out.
func (r *Redactor) Add(secrets ...Secret) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range secrets {
		for _, form := range forms(s.value) {
			r.secrets.add(form)
		}
	}
}

// Spare makes facts of the run known (the app's name, the branch, an id): a secret inside a fact is not covered
// where that fact stands in the text, since hiding it would break the output and hide nothing.
func (r *Redactor) Spare(facts ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, fact := range facts {
		r.facts.add(fact)
	}
}

// Redact returns text with every known secret covered.
func (r *Redactor) Redact(text string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return cover(text, r.masked(text))
}

// span is a half-open range of bytes.
type span struct{ from, to int }

// masked returns the ranges to cover, in order, overlapping ones merged. A secret's match is spared only where
// it lies wholly inside one fact: otherwise part of the secret would show.
func (r *Redactor) masked(text string) []span {
	var out []span
	fact := span{}
	for i := range len(text) {
		if n := r.facts.longestAt(text, i); i+n > fact.to {
			fact = span{i, i + n}
		}
		n := max(r.secrets.longestAt(text, i), r.secrets.cutAt(text, i))
		if n == 0 || (fact.from <= i && i+n <= fact.to) {
			continue
		}
		if last := len(out) - 1; last >= 0 && i < out[last].to {
			out[last].to = max(out[last].to, i+n)
		} else {
			out = append(out, span{i, i + n})
		}
	}
	return out
}

func cover(text string, spans []span) string {
	if len(spans) == 0 {
		return text
	}
	var b strings.Builder
	at := 0
	for _, s := range spans {
		b.WriteString(text[at:s.from])
		b.WriteString(Cover)
		at = s.to
	}
	b.WriteString(text[at:])
	return b.String()
}

// safeLength returns how much of text can be covered and let go now: what follows may turn out to be the start
// of a secret or a fact once more text is there.
func (r *Redactor) safeLength(text string, masked []span) int {
	safe := min(r.secrets.openFrom(text), r.facts.openFrom(text))
	for _, m := range slices.Backward(masked) {
		if m.from < safe && safe < m.to {
			safe = m.from
		}
	}
	return safe
}

// index finds which of many strings begins at a place of a text, by its first MinLength bytes, so that the cost
// does not grow with the number of strings.
type index struct {
	byPrefix map[string][]string
	starts   map[string]bool // the prefixes shorter than MinLength
	longest  int
}

func newIndex() index {
	return index{byPrefix: map[string][]string{}, starts: map[string]bool{}}
}

func (x *index) add(s string) {
	if len(s) < MinLength {
		return
	}
	key := s[:MinLength]
	if slices.Contains(x.byPrefix[key], s) {
		return
	}
	x.byPrefix[key] = append(x.byPrefix[key], s)
	for n := 1; n < MinLength; n++ {
		x.starts[s[:n]] = true
	}
	x.longest = max(x.longest, len(s))
}

// cutMark is what stands where a text was cut short, by us and by most others.
const cutMark = "…"

// cutAt returns the length of what is left of a string that begins at i and was cut short, 0 where none was. Less
// than MinLength of it is not looked for.
func (x *index) cutAt(text string, i int) int {
	if i+MinLength+len(cutMark) > len(text) {
		return 0
	}
	for _, s := range x.byPrefix[text[i:i+MinLength]] {
		if n := common(s, text[i:]); strings.HasPrefix(text[i+n:], cutMark) {
			return n
		}
	}
	return 0
}

// common is the length of what a and b begin with alike.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// longestAt returns the length of the longest string that begins at i, 0 where none does.
func (x *index) longestAt(text string, i int) int {
	if i+MinLength > len(text) {
		return 0
	}
	n := 0
	for _, s := range x.byPrefix[text[i:i+MinLength]] {
		if len(s) > n && strings.HasPrefix(text[i:], s) {
			n = len(s)
		}
	}
	return n
}

// openFrom returns the first place from which the rest of text may be the beginning of a longer string.
func (x *index) openFrom(text string) int {
	for i := max(0, len(text)-x.longest+1-len(cutMark)); i < len(text); i++ {
		rest := text[i:]
		if len(rest) < MinLength {
			if x.starts[rest] {
				return i
			}
			continue
		}
		for _, s := range x.byPrefix[rest[:MinLength]] {
			n := common(s, rest)
			if n < len(s) && n >= MinLength && len(rest)-n < len(cutMark) && strings.HasPrefix(cutMark, rest[n:]) {
				return i
			}
		}
	}
	return len(text)
}
