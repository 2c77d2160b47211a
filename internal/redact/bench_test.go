package redact_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/spicedeploy/spice-deploy/internal/redact"
)

// BenchmarkAdd makes secrets of 32 KiB known, of one line as tokens and of many as keys.
func BenchmarkAdd(b *testing.B) {
	for _, bc := range []struct{ name, value string }{
		{"one_line", strings.Repeat("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", 1024)},
		{"many_lines", strings.Repeat("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCMIIEvQIBADANBgkqhkiG9w0BAQEFAA\n", 512)},
	} {
		b.Run(bc.name, func(b *testing.B) {
			b.SetBytes(int64(len(bc.value)))
			b.ReportAllocs()
			for b.Loop() {
				redact.NewRedactor().Add(redact.New(bc.value))
			}
		})
	}
}

// BenchmarkWriter passes a log of 1 MiB through, with 20 and with 1,000 secrets known of which every hundredth line
// holds one.
func BenchmarkWriter(b *testing.B) {
	for _, known := range []int{20, 1000} {
		b.Run(fmt.Sprintf("%d_secrets", known), func(b *testing.B) {
			r := redact.NewRedactor()
			for i := range known {
				r.Add(redact.New(fmt.Sprintf("%x-hidden-value-%d", i*7919, i)))
			}
			lines := make([][]byte, 1<<20/100)
			for i := range lines {
				text := strings.Repeat("a log line of the usual length, with nothing in it ", 2)[:99]
				if i%100 == 0 {
					text = text[:50] + fmt.Sprintf("%x-hidden-value-%d", i%known*7919, i%known)
				}
				lines[i] = []byte(text + "\n")
			}
			w := r.NewWriter(io.Discard)
			b.SetBytes(1 << 20)
			b.ReportAllocs()
			for b.Loop() {
				for _, line := range lines {
					if _, err := w.Write(line); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
