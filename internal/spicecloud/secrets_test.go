package spicecloud_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
)

func TestSecrets(t *testing.T) {
	t.Parallel()
	network := plays(reply(200, `{"secrets":[{"id":1,"name":"PG_PASS","value":"********"},{"id":null,"name":"API_KEY"}]}`))
	got, err := client(t, network, nil).Secrets(ctx(t), 7)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"PG_PASS", "API_KEY"}; !slices.Equal(got, want) {
		t.Errorf("expected %q to be %q", got, want)
	}
}

func TestSecrets_pages(t *testing.T) {
	t.Parallel()
	page := func(from, to int) string {
		var items []string
		for i := from; i < to; i++ {
			items = append(items, fmt.Sprintf(`{"name":"S%d"}`, i))
		}
		return `{"secrets":[` + strings.Join(items, ",") + `]}`
	}
	network := plays(reply(200, page(0, 100)), reply(200, page(100, 130)))
	got, err := client(t, network, nil).Secrets(ctx(t), 7)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(got), 130; got != want {
		t.Errorf("expected %d names, got %d", want, got)
	}
	want := []string{"GET /v1/projects/7/secrets?limit=100", "GET /v1/projects/7/secrets?limit=100&offset=100"}
	if got := network.lines(); !slices.Equal(got, want) {
		t.Errorf("expected %q to be %q", got, want)
	}
}

func TestPutSecret_value_arrives_byte_for_byte(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"plain", "two\nlines\r\n", "\"quoted\" <&> \\ \x00 \x7f", "\u2028 \u00e9 😀", strings.Repeat("x", 1<<20)} {
		for _, status := range []int{200, 201} {
			network := plays(reply(status, `{"id":1,"name":"A","value":"**********"}`))
			if err := client(t, network, nil).PutSecret(ctx(t), 7, "A", redact.New(value)); err != nil {
				t.Fatal(err)
			}
			request := network.requests()[0]
			var body map[string]string
			if err := json.Unmarshal([]byte(request.Body), &body); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]string{"name": "A", "value": value}, body); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
			if got, want := request.Line, "POST /v1/projects/7/secrets"; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
		}
	}
}

func TestPutSecret_refuses_what_json_cannot_carry(t *testing.T) {
	t.Parallel()
	network := plays(reply(200, `{}`))
	err := client(t, network, nil).PutSecret(ctx(t), 7, "KEYSTORE", redact.New("\xff\xfe"))
	if got, want := fmt.Sprint(err), `write secret "KEYSTORE": its value is not valid UTF-8; encode it, for instance as base64`; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
	if got := network.lines(); len(got) != 0 {
		t.Errorf("expected nothing to be sent, got %q", got)
	}
}

func TestPutSecret_a_proxys_page_is_no_success(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "<html>signed out</html>", "OK", "null", "[]"} {
		synctest.Test(t, func(t *testing.T) {
			network := plays(reply(200, body))
			err := client(t, network, nil).PutSecret(spicecloud.WithPatience(ctx(t), time.Second), 7, "A", redact.New("value"))
			as[*spicecloud.BadResponseError](t, err)
		})
	}
}

func TestPutSecret_errors_do_not_repeat_the_value(t *testing.T) {
	t.Parallel()
	const value = "-----BEGIN KEY-----\nc3VwZXItc2VjcmV0\n-----END KEY-----"
	cases := []struct {
		name, value string
		answer      step
	}{
		{"message", value, reply(400, `{"error":"bad value c3VwZXItc2VjcmV0"}`)},
		{"part_of_it", value, reply(400, `{"error":"bad value c3VwZXIt..."}`)},
		{"code", value, reply(400, `{"error":"bad","code":"c3VwZXItc2VjcmV0"}`)},
		{"field_error", value, reply(422, `{"error":"bad","details":{"fieldErrors":{"value":["got c3VwZXItc2VjcmV0"]}}}`)},
		{"raw_text", value, reply(400, `cannot take c3VwZXItc2VjcmV0`)},
		{"echo_of_the_request", value, reply(400, `{"name":"A","value":"-----BEGIN KEY-----\nc3VwZXItc2VjcmV0\n"}`)},
		{"title", value, reply(200, `<title>c3VwZXItc2VjcmV0</title>`)},
		{"short_lines", "hun\nter\n2hu\nnte\nr2", reply(400, "cannot take hun\nter\n2hu\nnte\nr2")},
		{"short", "hunter2", reply(400, `{"error":"hunter2 is too weak"}`)},
		{"after_much_space", "hunter2hunter2", reply(400, strings.Repeat(" \n", 9000)+"hunter2hunter2")},
		{"cut_at_the_limit", strings.Repeat("hunter2-", 20_000), reply(400, `{"error":"`+strings.Repeat("hunter2-", 20_000)+`"}`)},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var told []string
				c := client(t, plays(tc.answer), func(cfg *spicecloud.Config) {
					cfg.Trace = func(call spicecloud.Call) { told = append(told, fmt.Sprintf("%+v", call)) }
					cfg.OnRetry = func(r spicecloud.Retry) { told = append(told, fmt.Sprintf("%+v", r)) }
				})
				err := c.PutSecret(spicecloud.WithPatience(ctx(t), time.Second), 7, "A", redact.New(tc.value))
				if err == nil {
					t.Fatal("expected an error")
				}
				told = append(told, err.Error())
				for _, text := range told {
					for _, piece := range []string{"c3VwZXIt", "hunter2", "2hu"} {
						if strings.Contains(text, piece) {
							t.Errorf("the value is in %q", text)
						}
					}
				}
			})
		})
	}
}

func TestPutSecret_errors_say_what_they_can(t *testing.T) {
	t.Parallel()
	network := plays(reply(400, `{"error":"Invalid secret name","details":{"fieldErrors":{"name":["must match ^[A-Z]"]}}}`))
	err := client(t, network, nil).PutSecret(ctx(t), 7, "a-b", redact.New("some-secret-value"))
	if got, want := err.Error(), "POST /v1/projects/7/secrets: 400 Bad Request: Invalid secret name (name: must match ^[A-Z])"; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
}

func TestPutSecret_is_repeated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := plays(reply(503, ""), reply(200, `{"name":"A"}`))
		if err := client(t, network, nil).PutSecret(ctx(t), 7, "A", redact.New("value")); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(network.requests()[0].Body, network.requests()[1].Body); diff != "" {
			t.Errorf("the second request differs:\n%s", diff)
		}
	})
}

func TestDeleteSecret(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		steps []step
		fails bool
	}{
		{"no_content", []step{reply(204, "")}, false},
		{"with_a_body", []step{reply(200, `{"ok":true}`)}, false},
		{"already_gone", []step{reply(404, `{"error":"not found"}`), reply(200, `{"projects":[]}`)}, false},
		{"forbidden", []step{reply(403, "")}, true},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			network := plays(tc.steps...)
			err := client(t, network, nil).DeleteSecret(ctx(t), 7, "A/B")
			if (err != nil) != tc.fails {
				t.Errorf("expected an error: %v, got %v", tc.fails, err)
			}
			if got, want := network.lines()[0], "DELETE /v1/projects/7/secrets/A%2FB"; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
		})
	}
}
