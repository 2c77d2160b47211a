package cli

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/spicedeploy/spice-deploy/internal/redact"
)

// BenchmarkLog prints the log of a step: a line alone, then logs of up to 10 MiB.
func BenchmarkLog(b *testing.B) {
	text := strings.Repeat("a log line of the usual length, with nothing in it ", 2)[:88]
	for _, size := range []int{100, 10 << 20 / 4, 10 << 20 / 2, 10 << 20} {
		b.Run(fmt.Sprintf("%d_bytes", size), func(b *testing.B) {
			r := redact.NewRedactor()
			r.Spare(vocabulary()...)
			for i := range 20 {
				r.Add(redact.New(fmt.Sprintf("%x-hidden-value-%d", i*7919, i)))
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				l := newLog(io.Discard, r)
				for range max(1, size/100) {
					l.line("label", "%s", text)
				}
				if err := l.flush(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
