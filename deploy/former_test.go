package deploy_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// TestRollback_atMostOnce has the answer to the rollback's create get lost in every way.
func TestRollback_atMostOnce(t *testing.T) {
	t.Parallel()
	lose := func(f emulator.Fault) func(*stage) {
		return failing(onRollback("POST", "/deployments", func(s *stage) {
			f.Method, f.Path = "POST", "/deployments"
			s.faults(f)
		}))
	}
	scenes := []scene{
		{name: "after_the_effect", given: lose(emulator.Fault{Kind: emulator.Lost, AfterEffect: true}), log: []string{"rollback: notice: the answer to the create was lost; deployment 1003 is it"}, took: "8s-10s"},
		{name: "before_the_effect", given: lose(emulator.Fault{Kind: emulator.Lost}), writes: append(twice[:3:3], "POST app/deployments cut", "POST app/deployments"), took: "18s-21s"},
		{name: "error_after_the_effect", given: lose(emulator.Fault{Status: 500, AfterEffect: true}), writes: append(twice[:3:3], "POST app/deployments 500"), took: "8s-10s"},
		{name: "rate_limit", given: lose(emulator.Fault{Status: 429, Headers: emulator.Headers{"Retry-After": "3"}}), writes: append(twice[:3:3], "POST app/deployments 429", "POST app/deployments"), took: "11s-13s"},
		{
			name: "list_that_lags",
			given: func(s *stage) {
				s.configure(func(st *emulator.Settings) { st.ListLag = 8 * time.Second })
				lose(emulator.Fault{Kind: emulator.Lost, AfterEffect: true})(s)
			}, took: "12s-15s",
		},
	}
	for i := range scenes {
		sc := &scenes[i]
		sc.args, sc.result, sc.exit = rollsBack, diag.Failed, 1
		sc.reason, sc.history, sc.also = "boom; rolled back: deployment 1003 runs the former spicepod (its runtime was not verified)", rolledBack, to(1003)
		if sc.writes == nil {
			sc.writes = append(twice[:3:3], "POST app/deployments cut")
		}
	}
	playAll(t, scenes)
}

// TestRollback_spicepod has the app's spicepod come back in the forms that the service knows.
func TestRollback_spicepod(t *testing.T) {
	t.Parallel()
	former := "version: v1\nkind: Spicepod\nname: shop\ndescription: old\nmetadata:\n  face: \"😀 <&> \\u2028 \\\\ \\\"\"\n  number: 9007199254740993\n  text: '007'\ndatasets:\n  - {from: 'postgres:orders', name: orders}\n"
	cases := []struct {
		name string
		form func(any) any
	}{
		{"object", nil},
		{"text", func(any) any { return former }},
		{"escapes_that_yaml_does_not_know", func(v any) any { return escaped{v} }},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T) {
				s := newStage(t, rollsBack)
				s.app.Spicepod = former
				failing(nil)(s)
				if tc.form != nil {
					s.client.Transport = formed{s.client.Transport, tc.form}
				}
				var before any
				s.before("PUT", "/projects/101", 1, func() { before = s.cloud.Apps()[0].Deployments[0].Spicepod })
				e := s.run()
				checkResult(t, e)
				if e.RolledBackTo != 1003 {
					t.Fatalf("not rolled back: %s", e.Reason)
				}
				now := s.cloud.Apps()[0].Deployments[2].Spicepod
				if diff := cmp.Diff(normal(t, before), normal(t, now)); diff != "" {
					t.Errorf("spicepod (-want, +got):\n%s", diff)
				}
			})
		})
	}
}

func normal(t *testing.T, v any) any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// formed is a service that shows the spicepod that the app had at first in another form.
type formed struct {
	http.RoundTripper
	form func(any) any
}

func (f formed) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := f.RoundTripper.RoundTrip(r)
	if err != nil || r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/projects/101") {
		return resp, err
	}
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	var app map[string]any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&app); err != nil {
		return nil, err
	}
	config, _ := app["config"].(map[string]any)
	if pod, _ := config["spicepod"].(map[string]any); pod["description"] == "old" {
		config["spicepod"] = f.form(pod)
	}
	if raw, err = json.Marshal(app); err != nil {
		return nil, err
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
	return resp, nil
}

// escaped is JSON as some servers write it: only the characters of ASCII as they are.
type escaped struct{ value any }

func (e escaped) MarshalJSON() ([]byte, error) {
	raw, err := json.Marshal(e.value)
	return bytes.ReplaceAll(raw, []byte("😀"), []byte(`\ud83d\ude00`)), err
}

// TestRollback_asksFor has only what this run had asked for taken back.
func TestRollback_asksFor(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, args, want string }{
		{"nothing", "", `{"branch":"trunk","commit_sha":"01dc0de","commit_message":"Roll back deployment 1002"}`},
		{"replicas", "--replicas 3", `{"replicas":2,"branch":"trunk","commit_sha":"01dc0de","commit_message":"Roll back deployment 1002"}`},
		{"channel", "--channel nightly", `{"channel":"preview","branch":"trunk","commit_sha":"01dc0de","commit_message":"Roll back deployment 1002"}`},
		{"image_tag", "--image-tag 2.3.2", `{"image_tag":"2.3.1","branch":"trunk","commit_sha":"01dc0de","commit_message":"Roll back deployment 1002"}`},
		{"debug", "--debug", `{"branch":"trunk","commit_sha":"01dc0de","commit_message":"Roll back deployment 1002"}`},
		{"tags_and_secrets_are_no_part_of_it", `--tags {"a":"b"}`, `{"branch":"trunk","commit_sha":"01dc0de","commit_message":"Roll back deployment 1002"}`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T) {
				s := newStage(t, rollsBack+" "+tc.args)
				s.cloud = emulator.New(emulator.Options{Seed: 1, KeepBodies: true})
				s.client.Transport = s.cloud.Transport()
				s.app.UpdateChannel, s.app.Replicas, s.app.ImageTag = "preview", 2, "2.3.1"
				s.app.Deployments[0].Branch = "trunk"
				failing(nil)(s)
				e := s.run()
				if e.RolledBackTo != 1003 {
					t.Fatalf("not rolled back: %s", e.Reason)
				}
				body := ""
				for _, r := range s.cloud.Requests() {
					if r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/deployments") {
						body = string(r.Body())
					}
				}
				if body != tc.want {
					t.Errorf("asked for\n%s, want\n%s", body, tc.want)
				}
			})
		})
	}
}
