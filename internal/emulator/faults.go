package emulator

import (
	"cmp"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"
)

// The kinds of faults.
const (
	Status    = "status"    // another answer: Status, Headers, Body
	Lost      = "lost"      // the connection is cut and no answer arrives
	Slow      = "slow"      // the right answer, after Delay
	Truncated = "truncated" // half of the right answer, then the connection is cut; the request is carried out
	HTML      = "html"      // a proxy's error page; status 502 unless given
	Empty     = "empty"     // no body; status 200 unless given
	Redirect  = "redirect"  // to Headers["Location"], or to a login page; status 302 unless given
	Refused   = "refused"   // the connection is refused; over a real socket the same as lost
)

var faultKinds = []string{Status, Lost, Slow, Truncated, HTML, Empty, Redirect, Refused}

// Fault spoils the answer to a request. Unless AfterEffect says otherwise, the request is not carried out, apart
// from those of the kinds slow and truncated, which are.
type Fault struct {
	// Method, Path and Secret say which requests it is about; an empty one matches all. Path is compared with
	// the last segments of the request's path and * stands for one segment: "/deployments" is any app's, on
	// both route families, and "/secrets/*" any secret. Secret is the name of the secret that is written.
	Method string `yaml:"method"`
	Path   string `yaml:"path"`
	Secret string `yaml:"secret"`
	// Nth is the first matching request that it strikes, counted from 1 (when 0); Times is how many in a row,
	// 1 (when 0), or all from there on (when negative).
	Nth   int `yaml:"nth"`
	Times int `yaml:"times"`

	Kind        string        `yaml:"kind"`         // may be left out where Status or Delay is given
	AfterEffect bool          `yaml:"after_effect"` // carry the request out first, then spoil or delay the answer
	Delay       time.Duration `yaml:"delay"`        // before the answer or the cut
	Late        time.Duration `yaml:"late"`         // of a lost request: it is carried out so long after the cut
	Status      int           `yaml:"status"`
	Headers     Headers       `yaml:"headers"`
	Body        string        `yaml:"body"`
}

// Headers of an injected answer.
type Headers map[string]string

// armedFault counts the requests that matched.
type armedFault struct {
	Fault
	seen int
}

// complete fills in what may be left out and says what is wrong.
func (f *Fault) complete() error {
	if f.Kind == "" && f.Status != 0 {
		f.Kind = Status
	}
	if f.Kind == "" && f.Delay != 0 {
		f.Kind = Slow
	}
	switch {
	case !oneOf(f.Kind, faultKinds):
		return fmt.Errorf("kind: expected one of %s, got %q", strings.Join(faultKinds, ", "), f.Kind)
	case f.Kind == Status && f.Status == 0:
		return fmt.Errorf("status: needed for kind %q", Status)
	case f.Kind == Slow && f.Delay == 0:
		return fmt.Errorf("delay: needed for kind %q", Slow)
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status: expected 200 to 599, got %d", f.Status)
	case f.Delay < 0:
		return fmt.Errorf("delay: must not be negative, got %s", f.Delay)
	case f.Late != 0 && (f.Late < 0 || f.Kind != Lost || f.AfterEffect):
		return fmt.Errorf("late: must not be negative, and is for kind %q without after_effect", Lost)
	case f.Nth < 0:
		return fmt.Errorf("nth: must not be negative, got %d", f.Nth)
	}
	if _, err := path.Match(f.Path, ""); err != nil {
		return fmt.Errorf("path: %q: %w", f.Path, err)
	}
	return nil
}

func (f *Fault) matches(in Incoming) bool {
	return (f.Method == "" || strings.EqualFold(f.Method, in.Method)) &&
		(f.Secret == "" || f.Secret == in.Secret) && matchesEnd(f.Path, in.Path)
}

// matchesEnd compares a pattern with as many of the path's last segments.
func matchesEnd(pattern, whole string) bool {
	want := strings.Split(strings.Trim(pattern, "/"), "/")
	got := strings.Split(strings.Trim(whole, "/"), "/")
	if pattern == "" {
		return true
	}
	if len(want) > len(got) {
		return false
	}
	ok, _ := path.Match(strings.Join(want, "/"), strings.Join(got[len(got)-len(want):], "/"))
	return ok
}

// strikes counts a matching request and tells whether it is due.
func (f *armedFault) strikes() bool {
	f.seen++
	first := cmp.Or(f.Nth, 1)
	return f.seen >= first && (f.Times < 0 || f.seen < first+cmp.Or(f.Times, 1))
}

// pick is the fault for a request, nil for none. Every armed fault that matches counts the request; the first
// that is due strikes.
func (e *Emulator) pick(in Incoming) *Fault {
	if e.opts.FaultFor != nil {
		if f := e.opts.FaultFor(in); f != nil {
			chosen := *f
			if err := chosen.complete(); err != nil {
				panic("emulator: FaultFor returned an invalid fault: " + err.Error())
			}
			return &chosen
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var chosen *Fault
	for _, armed := range e.state.faults {
		if armed.matches(in) && armed.strikes() && chosen == nil {
			chosen = new(armed.Fault)
		}
	}
	return chosen
}

// reply is the answer of the kinds that do not show the right one.
func (f *Fault) reply() reply {
	r := reply{status: f.Status, header: http.Header{}, body: []byte(f.Body)}
	switch f.Kind {
	case Status:
		r.header.Set("Content-Type", "application/json; charset=utf-8")
		if f.Body == "" && f.Status != http.StatusNoContent && f.Status != http.StatusNotModified {
			r.body = encode(wireError{Error: "Injected fault"})
		}
	case HTML:
		r.status = cmp.Or(f.Status, http.StatusBadGateway)
		r.header.Set("Content-Type", "text/html; charset=utf-8")
		if f.Body == "" {
			title := fmt.Sprintf("%d %s", r.status, http.StatusText(r.status))
			r.body = fmt.Appendf(nil, "<html>\r\n<head><title>%s</title></head>\r\n<body><center><h1>%s</h1></center></body>\r\n</html>\r\n", title, title)
		}
	case Redirect:
		r.status = cmp.Or(f.Status, http.StatusFound)
		r.header.Set("Location", "https://login.example.com/")
	case Empty:
		r.status, r.body = cmp.Or(f.Status, http.StatusOK), nil
	}
	for name, value := range f.Headers {
		r.header.Set(name, value)
	}
	return r
}
