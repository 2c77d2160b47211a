package simulation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// verifyMutants are breaks of the verification and of the rollback.
func verifyMutants() []mutant {
	return []mutant{
		{"the_former_versions_list_counts_as_the_new_ones", over(onAnswer("GET", "/v1/datasets", asOurs)), "although the runtime listed"},
		{"error_counts_as_ready", over(onAnswer("GET", "/v1/datasets", replace(`"status":"Error"`, `"status":"Ready"`))), "although the runtime listed"},
		{"initializing_counts_as_ready", over(onAnswer("GET", "/v1/datasets", replace(`"status":"Initializing"`, `"status":"Ready"`))), "although the runtime listed"},
		{"not_ready_counts_as_ready", over(always("GET", "/v1/ready", "ready")), "did not say that it is ready"},
		{"a_probe_that_failed_is_reported_as_passed", over(always("POST", "/v1/search", `{"results":[]}`)), "the probe search is reported as true"},
		{"a_probe_that_passed_is_reported_as_failed", over(onAnswer("POST", "/v1/sql", func(string) string { return "no JSON" })), "the probe sql is reported as false"},
		{"a_dataset_that_is_ready_fails_the_run", over(onAnswer("GET", "/v1/datasets", func(string) string { return "null" })), "although everything was well"},
		{"a_refusal_ends_the_check_at_once", over(hurried), "gave up after"},
		{"the_key_of_the_runtime_is_printed", printKey(), "the API key 1 is shown"},
		{"the_key_of_the_runtime_goes_into_a_query", over(keyInQuery), "the API key 1 left the process"},
		{"the_runtime_is_contacted_all_the_same", over(askAnyway), "is not to be contacted"},
		{"rolls_back_over_a_deployment_of_somebody_else", over(othersUnseen), "rolled back over deployment"},
		{"a_verdict_about_somebody_elses_deployment", over(othersUnseen), "is about another deployment than ours"},
		{"rolls_back_twice", over(repeatRollback), "2 rollbacks"},
		{"rolled_back_to_although_the_rollback_failed", over(rollbackSucceeds), "rolled-back-to is"},
		{"the_former_spicepod_is_not_put_back", over(swallowRollback), "did not deploy the former spicepod"},
		{"a_rollback_is_left_out_of_the_outputs", bend{files: forgetRollback}, "a rollback is not told of"},
	}
}

// onAnswer changes the good answers to a request.
func onAnswer(method, end string, change func(string) string) func(*world, http.RoundTripper) roundTrip {
	return func(_ *world, next http.RoundTripper) roundTrip {
		return func(req *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(req)
			if err != nil || resp.StatusCode != http.StatusOK || req.Method != method || !strings.HasSuffix(req.URL.Path, end) {
				return resp, err
			}
			text, cut := read(resp)
			if cut != nil {
				return resp, nil
			}
			return answer(req, http.StatusOK, change(text)), nil
		}
	}
}

func replace(from, to string) func(string) string {
	return func(text string) string { return strings.ReplaceAll(text, from, to) }
}

// always answers the same, whatever the runtime says.
func always(method, end, body string) func(*world, http.RoundTripper) roundTrip {
	return func(_ *world, next http.RoundTripper) roundTrip {
		return func(req *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(req)
			if req.Method == method && strings.HasSuffix(req.URL.Path, end) {
				return answer(req, http.StatusOK, body), nil
			}
			return resp, err
		}
	}
}

// asOurs makes the list of another version look like that of ours.
func asOurs(list string) string {
	return strings.NewReplacer(
		"orders_of_theirs", "orders_of_ours", "orders_of_pushed", "orders_of_ours",
		"s3://theirs/", "s3://ours/", "s3://pushed/", "s3://ours/", `"legacy"`, `"Customers-EU"`,
	).Replace(list)
}

// hurried takes the first refusal for the last word: what is asked after it does not get out any more.
func hurried(_ *world, next http.RoundTripper) roundTrip {
	var refused atomic.Int64
	return func(req *http.Request) (*http.Response, error) {
		if !strings.HasSuffix(req.URL.Path, "/v1/datasets") {
			return next.RoundTrip(req)
		}
		if status := refused.Load(); status != 0 {
			return answer(req, int(status), ""), nil
		}
		resp, err := next.RoundTrip(req)
		if err == nil && (resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden) {
			refused.Store(int64(resp.StatusCode))
		}
		return resp, err
	}
}

// printKey puts the key of the runtime into the summary.
func printKey() bend {
	var key atomic.Value
	b := over(func(_ *world, next http.RoundTripper) roundTrip {
		key.Store("")
		return func(req *http.Request) (*http.Response, error) {
			if given := req.Header.Get("X-API-Key"); given != "" {
				key.Store(given)
			}
			return next.RoundTrip(req)
		}
	})
	b.files = func(dir string, _ int) {
		rewriteFile(dir, "summary", func(text string) string { return fmt.Sprint(text, key.Load()) })
	}
	return b
}

func rewriteFile(dir, name string, change func(string) string) {
	name = filepath.Join(dir, name)
	if data, err := os.ReadFile(name); err == nil {
		_ = os.WriteFile(name, []byte(change(string(data))), 0o600)
	}
}

func keyInQuery(_ *world, next http.RoundTripper) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		if key := req.Header.Get("X-API-Key"); key != "" {
			req = req.Clone(req.Context())
			req.URL.RawQuery = "api_key=" + key
		}
		return next.RoundTrip(req)
	}
}

// askAnyway looks at the runtime after every create.
func askAnyway(_ *world, next http.RoundTripper) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		if isCreate(req) {
			get := req.Clone(req.Context())
			get.Method, get.URL.Path, get.Body, get.ContentLength = http.MethodGet, "/v1/ready", nil, 0
			if resp, err := next.RoundTrip(get); err == nil {
				resp.Body.Close()
			}
		}
		return next.RoundTrip(req)
	}
}

// othersUnseen leaves the deployments of others out of every list once ours was asked for.
func othersUnseen(_ *world, next http.RoundTripper) roundTrip {
	var asked atomic.Bool
	return func(req *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		if isCreate(req) {
			asked.Store(true)
		}
		if err != nil || !asked.Load() || !isList(req) || resp.StatusCode != http.StatusOK {
			return resp, err
		}
		text, cut := read(resp)
		var list struct {
			Deployments []map[string]any `json:"deployments"`
		}
		if cut != nil || json.Unmarshal([]byte(text), &list) != nil {
			return resp, nil
		}
		list.Deployments = slices.DeleteFunc(list.Deployments, func(d map[string]any) bool { return d["commit_sha"] == "bada55e" })
		left, err := json.Marshal(list)
		return answer(req, http.StatusOK, string(left)), err
	}
}

// ofRollback tells whether a body is about the deployment of a rollback.
func ofRollback(body string) bool { return strings.Contains(body, "Roll back deployment ") }

func repeatRollback(_ *world, next http.RoundTripper) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		if !isCreate(req) {
			return next.RoundTrip(req)
		}
		body, _ := io.ReadAll(req.Body)
		resp, err := next.RoundTrip(again(req, body))
		if ofRollback(string(body)) {
			time.Sleep(5 * time.Minute)
			if second, err := next.RoundTrip(again(req, body).WithContext(context.WithoutCancel(req.Context()))); err == nil {
				second.Body.Close()
			}
		}
		return resp, err
	}
}

func rollbackSucceeds(_ *world, next http.RoundTripper) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(req.URL.Path, "/deployments/") {
			return resp, err
		}
		text, cut := read(resp)
		if cut != nil || !ofRollback(text) {
			return resp, nil
		}
		return answer(req, http.StatusOK, strings.ReplaceAll(text, `"status":"failed"`, `"status":"succeeded"`)), nil
	}
}

// swallowRollback sends no spicepod but ours, and shows the one that it did not send as if the app had it.
func swallowRollback(w *world, next http.RoundTripper) roundTrip {
	swallowed := swallowUpdate(w, next)
	var kept atomic.Value
	kept.Store("")
	return func(req *http.Request) (*http.Response, error) {
		if req.Method == http.MethodGet && matches("/projects/*", req.URL.Path) && kept.Load() != "" {
			resp, err := next.RoundTrip(req)
			if err != nil || resp.StatusCode != http.StatusOK {
				return resp, err
			}
			return answer(req, http.StatusOK, withSpicepod(resp, fmt.Sprint(kept.Load()))), nil
		}
		if req.Method != http.MethodPut {
			return next.RoundTrip(req)
		}
		body, _ := io.ReadAll(req.Body)
		var update struct{ Spicepod string }
		if strings.Contains(string(body), "orders_of_ours") || json.Unmarshal(body, &update) != nil || update.Spicepod == "" {
			return next.RoundTrip(again(req, body))
		}
		kept.Store(update.Spicepod)
		return swallowed(again(req, body))
	}
}

// withSpicepod is what an answer says of an app, with another spicepod.
func withSpicepod(resp *http.Response, spicepod string) string {
	text, _ := read(resp)
	var app map[string]any
	if json.Unmarshal([]byte(text), &app) != nil {
		return text
	}
	if config, ok := app["config"].(map[string]any); ok {
		config["spicepod"] = spicepod
	}
	changed, _ := json.Marshal(app)
	return string(changed)
}

var rolledBackTo = regexp.MustCompile(`(?m)^(rolled-back-to<<.*\n)[0-9]+$`)

func forgetRollback(dir string, _ int) {
	rewriteFile(dir, "output", func(text string) string { return rolledBackTo.ReplaceAllString(text, "${1}") })
}
