package spiceruntime_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
)

func TestReady(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		answer http.HandlerFunc
		want   bool
		err    string
	}{
		{"ready", text(200, "ready"), true, ""},
		{"ready_with_newline", text(200, "ready\n"), true, ""},
		{"not_ready", text(503, "not ready\n"), false, ""},
		{"shutting_down", text(503, "Runtime is shutting down"), false, "Runtime is shutting down"},
		{"gap_of_the_switch", typed(502, "text/html", "<html></html>"), false, "502 Bad Gateway: an HTML page"},
		{"some_other_page", typed(200, "text/html", "<html><title>Welcome</title></html>"), false, "an HTML page titled Welcome"},
		{"key_refused", text(401, ""), false, "401 Unauthorized"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := serve(t, map[string]http.HandlerFunc{"GET /v1/ready": tc.answer})
			got, err := r.client(t, nil).Ready(ctx(t))
			if got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
			said := ""
			if err != nil {
				said = err.Error()
			}
			contains(t, "the error", said, tc.err)
		})
	}
}

func TestDatasets(t *testing.T) {
	t.Parallel()
	r := serve(t, map[string]http.HandlerFunc{"GET /v1/datasets": says(200, `[
		{"from":"postgres:t","name":"orders","replication_enabled":false,"acceleration_enabled":true,"properties":{"a":1},"status":"Ready","error":null,"error_message":null},
		{"from":"s3://b/","name":"\"My-Table\"","status":"refreshing"},
		{"from":"x","name":"spice.\"Or\"\"d.ers\".\"a\"","status":"DISABLED"},
		{"from":"x","name":"bad","status":"Error","error":{"category":"dataset","type":"auth","code":"dataset.auth"},"error_message":"password\nwrong `+key+`"},
		{"from":"x","name":"half\"open","status":"Error","error":"oops"},
		{"from":"x","name":"new","status":"Initializing"},
		{"from":"x","name":"going","status":"ShuttingDown"},
		{"from":"x","name":"other","status":"Hibernating"},
		{"from":"x","name":"old"}]`)})
	datasets, err := r.client(t, nil).Datasets(ctx(t))
	if err != nil {
		t.Fatal(err)
	}
	var states []spiceruntime.State
	for _, d := range datasets {
		states = append(states, d.State())
	}
	want := []spiceruntime.Dataset{
		{Name: "orders", From: "postgres:t", Status: "Ready"},
		{Name: "My-Table", From: "s3://b/", Status: "refreshing"},
		{Name: `spice.Or"d.ers.a`, From: "x", Status: "DISABLED"},
		{Name: "bad", From: "x", Status: "Error", Error: "dataset.auth", ErrorMessage: "password wrong ***"},
		{Name: `half"open`, From: "x", Status: "Error", Error: "oops"},
		{Name: "new", From: "x", Status: "Initializing"},
		{Name: "going", From: "x", Status: "ShuttingDown"},
		{Name: "other", From: "x", Status: "Hibernating"},
		{Name: "old", From: "x"},
	}
	if diff := cmp.Diff(want, datasets); diff != "" {
		t.Errorf("datasets (-want +got):\n%s", diff)
	}
	wantStates := []spiceruntime.State{"ready", "ready", "ready", "failed", "failed", "pending", "pending", "pending", "pending"}
	if diff := cmp.Diff(wantStates, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	if got, want := r.lines()[0], "GET /v1/datasets?status=true"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDatasets_unusable(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		`null`:                   "expected a list, got null",
		`{}`:                     "expected a list, got an object",
		`[1]`:                    "expected an object, got a number",
		`[null]`:                 "entry 1 of the list has no name",
		`[{"name":"a"},{"n":1}]`: "entry 2 of the list has no name",
		`[{"name":1}]`:           "expected a text, got a number in name",
		`{"message":"boom"}`:     "expected a list, got an object, which says: boom",
		`{"error":{"message":"boom ` + key + `"}}`:     "it is an error: boom ***",
		`{"error":"` + strings.Repeat("x", 999) + `"}`: "xxx…",
	} {
		r := serve(t, map[string]http.HandlerFunc{"GET /v1/datasets": says(200, answer)})
		datasets, err := r.client(t, nil).Datasets(ctx(t))
		if err == nil {
			t.Errorf("%s: got %v", answer, datasets)
			continue
		}
		contains(t, "the error", err.Error(), want)
		if strings.Contains(err.Error(), "struct") || strings.Contains(err.Error(), "Go value") {
			t.Errorf("%s: the error speaks of Go: %s", answer, err)
		}
	}
}
