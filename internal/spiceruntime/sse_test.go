package spiceruntime

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func readEvents(from io.Reader) []string {
	stream := newEvents(from)
	var all []string
	for {
		data, err := stream.next()
		if err != nil {
			return all
		}
		all = append(all, data)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, stream string
		want         []string
	}{
		{"one", "data: a\n\n", []string{"a"}},
		{"no_blank_after_the_colon", "data:a\n\ndata:  b\n\n", []string{"a", " b"}},
		{"several_lines", "data: a\ndata: b\n\n", []string{"a\nb"}},
		{"carriage_returns", "data: a\r\rdata: b\r\n\r\ndata: c\n\r\n", []string{"a", "b", "c"}},
		{"other_fields", "event: x\nid: 1\nretry: 2\n: comment\ndatabase: y\ndata: a\n\n", []string{"a"}},
		{"empty_ones", "\n\ndata\n\ndata:\n\ndata: \n\nevent: x\n\n", nil},
		{"byte_order_mark", "\ufeffdata: a\n\n", []string{"a"}},
		{"cut_off", "data: a\n\ndata: b", []string{"a", "b"}},
		{"cut_off_after_the_line", "data: b\n", []string{"b"}},
		{"nothing", "", nil},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, readEvents(strings.NewReader(tc.stream))); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEvents_a_broken_stream_gives_nothing_of_its_last_event(t *testing.T) {
	t.Parallel()
	broken := io.MultiReader(strings.NewReader("data: half"), iotest.ErrReader(io.ErrUnexpectedEOF))
	if data, err := newEvents(broken).next(); data != "" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %q, %v", data, err)
	}
}

// What comes out depends neither on how the bytes arrive nor on how lines end.
func FuzzEvents(f *testing.F) {
	for _, stream := range []string{"data: a\n\n", "data: a\r\n\r\ndata:b\r\rdata\n:x\n\n", "\ufeffdata: a", "event: x\ndata: {}\ndata: 1\n"} {
		f.Add(stream)
	}
	f.Fuzz(func(t *testing.T, stream string) {
		all := readEvents(strings.NewReader(stream))
		if diff := cmp.Diff(all, readEvents(iotest.OneByteReader(strings.NewReader(stream)))); diff != "" {
			t.Errorf("byte by byte (-at once +byte by byte):\n%s", diff)
		}
		lines := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(stream)
		for _, end := range []string{"\n", "\r", "\r\n"} {
			if diff := cmp.Diff(all, readEvents(strings.NewReader(strings.ReplaceAll(lines, "\n", end)))); diff != "" {
				t.Errorf("lines that end with %q (-as given +so):\n%s", end, diff)
			}
		}
	})
}
