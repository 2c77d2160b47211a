package spicecloud_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
)

func TestAPIError(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		answer step
		want   spicecloud.APIError
		text   string
	}{
		{
			"documented_form",
			reply(409, `{"error":"A deployment is already in progress for this project","code":"in_progress"}`, "X-Request-Id", "req-1"),
			spicecloud.APIError{Status: 409, Message: "A deployment is already in progress for this project", Code: "in_progress", RequestID: "req-1"},
			"409 Conflict: A deployment is already in progress for this project (code in_progress, request id req-1)",
		},
		{
			"field_errors",
			reply(400, `{"error":"Invalid request","details":{"fieldErrors":{"replicas":["too many","not a number"],"channel":["unknown"],"x":[]},"formErrors":["bad body"]}}`),
			spicecloud.APIError{Status: 400, Message: "Invalid request", Fields: map[string][]string{
				"replicas": {"too many", "not a number"}, "channel": {"unknown"}, "": {"bad body"},
			}},
			"400 Bad Request: Invalid request (bad body; channel: unknown; replicas: too many, not a number)",
		},
		{
			"error_before_message", reply(403, `{"error":"no","message":"other"}`),
			spicecloud.APIError{Status: 403, Message: "no"},
			"403 Forbidden: no",
		},
		{
			"message", reply(403, `{"message":"no","error":true}`),
			spicecloud.APIError{Status: 403, Message: "no"},
			"403 Forbidden: no",
		},
		{
			"error_object", reply(403, `{"error":{"code":"denied","message":"no"}}`),
			spicecloud.APIError{Status: 403, Message: "no", Code: "denied"},
			"403 Forbidden: no (code denied)",
		},
		{
			"json_without_words", reply(400, `{"max_tail": 5}`),
			spicecloud.APIError{Status: 400, Message: `{"max_tail": 5}`, MaxTail: 5},
			`400 Bad Request: {"max_tail": 5}`,
		},
		{
			"json_string", reply(400, `"no"`),
			spicecloud.APIError{Status: 400, Message: "no"},
			"400 Bad Request: no",
		},
		{
			"html", reply(502, "<HTML><head><TITLE>502 Bad\n Gateway</TITLE></head><body>cf</body>", "Cf-Ray", "ray-1"),
			spicecloud.APIError{Status: 502, Message: "an HTML page titled 502 Bad Gateway", RequestID: "ray-1"},
			"502 Bad Gateway: an HTML page titled 502 Bad Gateway (request id ray-1)",
		},
		{
			"text", reply(500, "upstream\r\nconnect   error\x1b[31m\u202e\n"),
			spicecloud.APIError{Status: 500, Message: "upstream connect error"},
			"500 Internal Server Error: upstream connect error",
		},
		{
			"nothing", reply(418, ""),
			spicecloud.APIError{Status: 418},
			"418 I'm a teapot",
		},
		{
			"unknown_status", reply(599, ""),
			spicecloud.APIError{Status: 599},
			"599",
		},
		{
			"retry_after", reply(429, "", "Retry-After", "17"),
			spicecloud.APIError{Status: 429, RetryAfter: 17 * time.Second},
			"429 Too Many Requests",
		},
		{
			"body_cut", cut(500, `{"error":"half`),
			spicecloud.APIError{Status: 500, Message: `{"error":"half`},
			`500 Internal Server Error: {"error":"half`,
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := client(t, plays(tc.answer), nil).Health(ctx(t))
			tc.want.Method, tc.want.Path = "GET", "/v1/health"
			if diff := cmp.Diff(&tc.want, as[*spicecloud.APIError](t, err)); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if got, want := err.Error(), "GET /v1/health: "+tc.text; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
		})
	}
}

func TestAPIError_of_ten_megabytes(t *testing.T) {
	t.Parallel()
	body := strings.NewReader(strings.Repeat("é", 5<<20))
	network := plays(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 500, Header: http.Header{}, Body: io.NopCloser(body), Request: r}, nil
	})
	err := client(t, network, nil).Health(ctx(t))
	if read := body.Size() - int64(body.Len()); read > 100_000 {
		t.Errorf("%d bytes of an error were read", read)
	}
	message := as[*spicecloud.APIError](t, err).Message
	if got, want := utf8.RuneCountInString(message), 500; got != want {
		t.Errorf("expected %d characters, got %d", want, got)
	}
	if !strings.HasSuffix(message, "é…") {
		t.Errorf("expected a mark where it was cut, got %q", message[len(message)-8:])
	}
}

func TestRedirectError(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, location, want string }{
		{"other_host", "https://login.test/sso?token=abc#x", "GET /v1/health: redirected to https://login.test/sso (302), which is not followed; is the URL right?"},
		{"user_part", "https://me:pass@login.test/", "GET /v1/health: redirected to https://login.test/ (302), which is not followed; is the URL right?"},
		{"relative", "/login", "GET /v1/health: redirected to https://api.spice.test/login (302), which is not followed; is the URL right?"},
		{"none", "", "GET /v1/health: unexpected redirect 302 without a target"},
		{"not_a_url", "https://a b/%zz", "GET /v1/health: unexpected redirect 302 without a target"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := client(t, plays(reply(302, "<html>", "Location", tc.location)), nil).Health(ctx(t))
			if got, want := as[*spicecloud.RedirectError](t, err).Error(), tc.want; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
		})
	}
}

func TestErrors_read_well(t *testing.T) {
	t.Parallel()
	cause := errors.New("connection reset by peer")
	cases := []struct {
		name string
		err  error
		want string
	}{
		{
			"lost", &spicecloud.LostAnswerError{Method: "POST", Path: "/v1/projects/7/deployments", Err: cause},
			"it is not known whether POST /v1/projects/7/deployments was carried out: connection reset by peer",
		},
		{
			"network", &spicecloud.NetworkError{Method: "GET", Path: "/v1/projects", Err: cause},
			"GET /v1/projects: no answer: connection reset by peer",
		},
		{
			"gave_up", &spicecloud.GaveUpError{Attempts: 14, For: 59*time.Second + 123456*time.Microsecond, Err: cause},
			"gave up after 14 attempts in 59.123s: connection reset by peer",
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := tc.err.Error(); got != tc.want {
				t.Errorf("expected %q to be %q", got, tc.want)
			}
			if !errors.Is(tc.err, cause) {
				t.Error("the cause is not within it")
			}
		})
	}
}

// shown fails the test where the text could disturb a log.
func shown(t *testing.T, text string) {
	t.Helper()
	if n := utf8.RuneCountInString(text); n > 500 {
		t.Errorf("%d characters of remote text", n)
	}
	for _, r := range text {
		if !unicode.IsPrint(r) {
			t.Errorf("%q has the character %U", text, r)
		}
	}
}

func FuzzErrorBody(f *testing.F) {
	const secret = "hunter2-hunter2"
	for _, body := range []string{
		"", "null", "[]", `"text"`, `{"error":"no","code":"x"}`, `{"error":{"message":"no"}}`, `{"message":"hunter2-hunter2"}`,
		`{"error":1,"details":{"fieldErrors":{"a":["b"],"c":"d"},"formErrors":null}}`, "<title>x</title>", "<title>", "\xff\xfe\x00",
		`{"details":{"fieldErrors":{"hunter2-hunter2":["x"]}}}`, "hunter2-\nhunter2", strings.Repeat("a", 600), strings.Repeat("a", 499) + " b", `{"error_description":"hunter2-"}`,
	} {
		f.Add(400, body)
		f.Add(302, body)
		f.Add(200, body)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 || status == 408 || status == 429 || status >= 500 {
			status = 400
		}
		c := client(t, plays(reply(status, body)), nil)
		err := c.PutSecret(spicecloud.WithPatience(ctx(t), 1), 7, "A", redact.New(secret))
		if err == nil {
			return
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the secret is in %q", err)
		}
		if refused, ok := errors.AsType[*spicecloud.APIError](err); ok {
			shown(t, refused.Message)
			shown(t, refused.Code)
			for name, texts := range refused.Fields {
				shown(t, name)
				shown(t, strings.Join(texts, "")[:min(500, len(strings.Join(texts, "")))])
			}
		}
		for _, r := range err.Error() {
			if unicode.IsControl(r) {
				t.Errorf("%q has the character %U", err, r)
			}
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	for _, value := range []string{"", "0", "1", "-1", "1.5", "18446744073709551616", "Wed, 21 Oct 2026 07:28:00 GMT", "Wednesday, 21-Oct-26 07:28:00 GMT", "soon"} {
		f.Add(value, "")
		f.Add(value, "Wed, 21 Oct 2026 07:27:00 GMT")
		f.Add(value, "Fri, 31 Dec 9999 23:59:59 GMT")
	}
	f.Fuzz(func(t *testing.T, value, date string) {
		c := client(t, plays(reply(503, "", "Retry-After", value, "Date", date)), nil)
		refused := as[*spicecloud.APIError](t, c.Health(ctx(t)))
		if refused.RetryAfter < 0 {
			t.Errorf("a pause of %s", refused.RetryAfter)
		}
		if digits := strings.Trim(value, "0123456789"); digits == "" && value != "" && strings.Trim(value, "0") != "" && len(value) < 20 && refused.RetryAfter == 0 {
			t.Errorf("no pause for %q", value)
		}
	})
}
