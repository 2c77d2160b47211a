package spicecloud_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
)

const runtimeKey = "101|0123456789abcdef"

func TestAPIKeys(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, body string
		want       []string
	}{
		{"both", `{"api_key":"first","api_key_2":"second"}`, []string{"first", "second"}},
		{"primary_is_null", `{"api_key":null,"api_key_2":"second"}`, []string{"second"}},
		{"secondary_is_empty", `{"api_key":"first","api_key_2":""}`, []string{"first"}},
		{"secondary_is_absent", `{"api_key":"first"}`, []string{"first"}},
		{"both_are_null", `{"api_key":null,"api_key_2":null}`, nil},
		{"no_member", `{}`, nil},
		{"of_another_type", `{"api_key":{"value":"first"},"api_key_2":["second"]}`, nil},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			network := plays(reply(200, tc.body))
			keys, err := client(t, network, nil).APIKeys(ctx(t), 101)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, key := range keys {
				got = append(got, key.Reveal())
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("expected %q to be %q", got, tc.want)
			}
			if lines := network.lines(); !slices.Equal(lines, []string{"GET /v1/projects/101/api-keys"}) {
				t.Errorf("asked for %q", lines)
			}
		})
	}
}

// TestAPIKeys_badAnswers has every answer that is no use hold a key, which must not show in the error.
func TestAPIKeys_badAnswers(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		answer step
		want   string
	}{
		{"html", reply(200, "<html><title>Sign in</title>"+runtimeKey+"</html>", "Content-Type", "text/html"), "Sign in"},
		{"text", reply(200, runtimeKey), "it is not JSON"},
		{"half", reply(200, `{"api_key":"`+runtimeKey), "it is not JSON, or only a part of it"},
		{"cut", cut(200, `{"api_key":"`+runtimeKey+`"`), "it broke off"},
		{"empty", reply(200, ""), "it is empty"},
		{"null", reply(200, "null"), "not an object"},
		{"list", reply(200, `["`+runtimeKey+`"]`), "not an object"},
		{"string", reply(200, `"`+runtimeKey+`"`), "not an object"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				waits := spicecloud.WithPatience(ctx(t), time.Second)
				keys, err := client(t, plays(tc.answer), nil).APIKeys(waits, 101)
				if err == nil {
					t.Fatalf("got %d keys", len(keys))
				}
				if !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "GET /v1/projects/101/api-keys") {
					t.Errorf("expected %q to hold %q", err, tc.want)
				}
				if strings.Contains(err.Error(), "0123456789abcdef") {
					t.Errorf("the key shows in %q", err)
				}
			})
		})
	}
}

func TestAPIKeys_refused(t *testing.T) {
	t.Parallel()
	network := plays(reply(403, `{"error":"no","code":"insufficient_scope"}`))
	_, err := client(t, network, nil).APIKeys(ctx(t), 101)
	if refused := as[*spicecloud.APIError](t, err); refused.Status != 403 || refused.Code != "insufficient_scope" || len(network.lines()) != 1 {
		t.Errorf("got %v after %q", err, network.lines())
	}
}

func TestInstances(t *testing.T) {
	t.Parallel()
	want := []spicecloud.Instance{{Name: "app-2", Status: "starting"}, {Name: "app-1", Status: "ready"}}
	for name, body := range map[string]string{
		"object": `{"instances":[{"name":"app-2","status":"starting","started_at":null},{"name":"app-1","status":"ready"}]}`,
		"list":   `[{"name":"app-2","status":"starting"},{"name":"app-1","status":"ready"}]`,
	} {
		got, err := client(t, plays(reply(200, body)), nil).Instances(ctx(t), 101)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want, +got):\n%s", name, diff)
		}
	}
}

// TestInstances_asksOnce holds for logs as well: an explanation is not worth a wait.
func TestInstances_asksOnce(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		answer step
		want   string
	}{
		{"unavailable", reply(503, `{"error":"later"}`), "503"},
		{"rate_limit", reply(429, `{"error":"slowly"}`, "Retry-After", "5"), "429"},
		{"cut", cut(200, `{"instances":[`), "it broke off"},
		{"html", reply(200, "<html><title>Sign in</title></html>"), "Sign in"},
		{"without_a_name", reply(200, `{"instances":[{"status":"ready"}],"lines":7}`), "not the JSON expected"},
		{"no_list", reply(200, `{"items":[]}`), "not the JSON expected"},
		{"null", reply(200, `null`), "not the JSON expected"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := plays(tc.answer)
				c := client(t, network, nil)
				_, listErr := c.Instances(ctx(t), 101)
				_, logErr := c.InstanceLog(ctx(t), 101, "app-1", 100)
				for _, err := range []error{listErr, logErr} {
					if err == nil || !strings.Contains(err.Error(), tc.want) {
						t.Errorf("expected %v to hold %q", err, tc.want)
					}
				}
				want := []string{"GET /v1/projects/101/instances", "GET /v1/projects/101/instances/app-1/logs?tail=100"}
				if got := network.lines(); !slices.Equal(got, want) {
					t.Errorf("expected %q to be %q", got, want)
				}
			})
		})
	}
}

func TestInstanceLog(t *testing.T) {
	t.Parallel()
	network := plays(reply(200, `{"lines":["Starting\u001b[0m runtime\r\n","  ✗ a\nb",7,"`+strings.Repeat("x", 600)+`"]}`))
	got, err := client(t, network, nil).InstanceLog(ctx(t), 101, "a/b c", 10)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Starting runtime", "✗ a b", "7", strings.Repeat("x", 499) + "…"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want, +got):\n%s", diff)
	}
	if lines := network.lines(); !slices.Equal(lines, []string{"GET /v1/projects/101/instances/a%2Fb%20c/logs?tail=10"}) {
		t.Errorf("asked for %q", lines)
	}
}

// TestInstanceLog_planLimit asks once more for as many lines as the plan allows, where it says how many.
func TestInstanceLog_planLimit(t *testing.T) {
	t.Parallel()
	refusal := func(maxTail string) step {
		return reply(http.StatusForbidden, `{"error":"too many","code":"plan_limit","max_tail":`+maxTail+`}`)
	}
	const first, again = "GET /v1/projects/101/instances/app-1/logs?tail=100", "GET /v1/projects/101/instances/app-1/logs?tail=20"
	cases := []struct {
		name  string
		steps []step
		want  []string
		ok    bool
	}{
		{"fewer", []step{refusal("20"), reply(200, `{"lines":["a"]}`)}, []string{first, again}, true},
		{"refused_again", []step{refusal("20")}, []string{first, again}, false},
		{"none", []step{refusal("0")}, []string{first}, false},
		{"negative", []step{refusal("-1")}, []string{first}, false},
		{"not_said", []step{refusal("null")}, []string{first}, false},
		{"as_many", []step{refusal("100")}, []string{first}, false},
		{"another_refusal", []step{reply(403, `{"error":"no","code":"forbidden","max_tail":20}`)}, []string{first}, false},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			network := plays(tc.steps...)
			_, err := client(t, network, nil).InstanceLog(ctx(t), 101, "app-1", 100)
			if (err == nil) != tc.ok || !slices.Equal(network.lines(), tc.want) {
				t.Errorf("got %v after %q", err, network.lines())
			}
		})
	}
}
