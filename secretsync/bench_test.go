package secretsync

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/spicedeploy/spice-deploy/internal/redact"
)

// BenchmarkCollect reads 1,000 secrets of 32 KiB from each kind of source.
func BenchmarkCollect(b *testing.B) {
	line := strings.Repeat("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", 2)
	value := strings.Repeat(line+"\n", 32*1024/(len(line)+1))
	oneLine := strings.Repeat(line, 32*1024/len(line))
	var heredocs, yaml, dotenv strings.Builder
	var environ []string
	all := map[string]string{}
	for i := range 1000 {
		name := fmt.Sprintf("KEY_%d", i)
		fmt.Fprintf(&heredocs, "%s<<END\n%sEND\n", name, value)
		fmt.Fprintf(&yaml, "%s: |\n  %s\n", name, strings.ReplaceAll(strings.TrimSpace(value), "\n", "\n  "))
		fmt.Fprintf(&dotenv, "%s=%s\n", name, oneLine)
		environ = append(environ, name+"="+value)
		all[name] = value
	}
	object, err := json.Marshal(all)
	if err != nil {
		b.Fatal(err)
	}
	for _, bc := range []struct {
		name string
		from Sources
	}{
		{"heredocs", Sources{Block: redact.New(heredocs.String())}},
		{"json", Sources{Block: redact.New(string(object))}},
		{"environment", Sources{FromEnv: "KEY_*", Environ: environ}},
		{"yaml_file", Sources{FileName: "s.yaml", File: []byte(yaml.String())}},
		{"dotenv_file", Sources{FileName: ".env", File: []byte(dotenv.String())}},
	} {
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(1000 * 32 * 1024)
			for b.Loop() {
				set, err := Collect(bc.from)
				if err != nil {
					b.Fatal(err)
				}
				if len(set.Secrets) != 1000 {
					b.Fatalf("%d secrets", len(set.Secrets))
				}
			}
		})
	}
}
