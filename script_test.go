package main

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"spice-deploy": main})
}

// TestScripts runs the binary as a user does, each script with a Spice Cloud and a folder of its own. To run one:
// go test -run TestScripts/NAME. On top of testscript's own commands there are:
//
//	emulator ROUTE BODY|FILE       POST /_emulator/ROUTE, PATCH for settings
//	api METHOD PATH [BODY]         a request with $EMULATOR_TOKEN; the answer is stdout
//	state PATH WANT                what GET /_emulator/state has at a path such as apps.0.deployments.-1.branch
//	deployments N                  how many deployments there are
//	requests N [METHOD PATH]       how many requests came in; PATH is a regular expression
//	[!] secret NAME [VALUE|@FILE]  the stored value of the first app's secret, byte for byte
//	tls                            serves the same Spice Cloud at $EMULATOR_TLS_URL too, with the certificate ca.pem
//	commit MESSAGE                 commits everything with git, makes the repository first if need be; sets $COMMIT
//	runner EVENT [INPUT=VALUE|@FILE]…  sets what GitHub's runner sets for a step; see scriptrunner_test.go
//	[!] output NAME [WANT]         an output of the step, read as the runner reads it
//	setenv NAME FILE               sets a variable to what a file holds, byte for byte
//	exitcode N COMMAND…            runs a command, which must exit with N
//	await FILE|/_emulator/… PATTERN  waits until it matches and sets a variable for each named group
//	signal INT|TERM                sends a signal to the command in the background
//	ended N                        after signal and wait: it exited with N, within 5 s of the signal
//
// WANT is a regular expression that has to match the whole text.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setUp,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"api": apiCommand, "await": await, "commit": commit, "deployments": deployments, "emulator": control,
			"ended": ended, "exitcode": exitCode, "output": output, "requests": requests, "runner": runner,
			"secret": secret, "setenv": setenv, "signal": sendSignal, "state": state, "tls": serveTLS,
		},
	})
}

// world is what the commands of a script share.
type world struct {
	emulator  *emulator.Emulator
	sent      time.Time // when signalled got its signal
	signalled *exec.Cmd
}

type worldKey struct{}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

// setUp starts the script's Spice Cloud, which has one app. Deployments end at once where a script says nothing else.
func setUp(env *testscript.Env) error {
	e := emulator.New(emulator.Options{Queued: 1, InProgress: 1})
	if _, err := e.AddApp(emulator.App{Name: "shop-app"}); err != nil {
		return err
	}
	server := httptest.NewServer(e)
	env.Defer(func() {
		server.CloseClientConnections()
		server.Close()
	})
	env.Values[worldKey{}] = &world{emulator: e}
	for name, value := range map[string]string{
		"EMULATOR_URL": server.URL, "EMULATOR_TOKEN": e.Token(),
		"EMULATOR_CLIENT_ID": e.ClientID(), "EMULATOR_CLIENT_SECRET": e.ClientSecret(),
		"GORACE":            "atexit_sleep_ms=10", // a second by default, for each process of a test with the race detector
		"GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_NOSYSTEM": "1",
		"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com", "GIT_AUTHOR_DATE": "2026-11-02T10:00:00Z",
		"GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com", "GIT_COMMITTER_DATE": "2026-11-02T10:00:00Z",
	} {
		env.Setenv(name, value)
	}
	return nil
}

// positive refuses the "!" that a command has no meaning for, and a wrong number of arguments.
func positive(ts *testscript.TestScript, neg bool, args []string, least, most int) {
	if neg || len(args) < least || len(args) > most {
		ts.Fatalf("wrong use; see TestScripts")
	}
}

// whole compares a text with the pattern that it has to match from its beginning to its end.
func whole(ts *testscript.TestScript, what, got, want string) {
	pattern, err := regexp.Compile(`\A(?s:` + want + `)\z`)
	ts.Check(err)
	if !pattern.MatchString(got) {
		ts.Fatalf("%s: expected %q to match %q", what, got, want)
	}
}

// request asks the script's Spice Cloud, which a script may have replaced by one in another process.
func request(ts *testscript.TestScript, method, path, body string) []byte {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, ts.Getenv("EMULATOR_URL")+path, strings.NewReader(body))
	ts.Check(err)
	req.Header.Set("Authorization", "Bearer "+ts.Getenv("EMULATOR_TOKEN"))
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if resp.StatusCode >= http.StatusBadRequest {
		ts.Fatalf("%s %s: %s: %s", method, path, resp.Status, answer)
	}
	return answer
}

func control(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 1, 2)
	body, method := "", http.MethodPost
	if len(args) == 2 {
		body = args[1]
	}
	if body != "" && !strings.ContainsAny(body, "{[") {
		body = ts.ReadFile(body)
	}
	if args[0] == "settings" {
		method = http.MethodPatch
	}
	request(ts, method, "/_emulator/"+args[0], body)
}

func apiCommand(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 2, 3)
	answer := request(ts, args[0], args[1], strings.Join(args[2:], ""))
	_, err := ts.Stdout().Write(answer)
	ts.Check(err)
}

// at goes down a path of names and indexes, of which negative ones count from the end.
func at(v any, path string) (any, error) {
	for step := range strings.SplitSeq(path, ".") {
		switch node := v.(type) {
		case map[string]any:
			v = node[step]
		case []any:
			i, err := strconv.Atoi(step)
			if i < 0 {
				i += len(node)
			}
			if err != nil || i < 0 || i >= len(node) {
				return nil, fmt.Errorf("there is no %s in a list of %d", step, len(node))
			}
			v = node[i]
		default:
			return nil, fmt.Errorf("there is no %s in %v", step, v)
		}
	}
	return v, nil
}

func state(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 2, 2)
	var all any
	ts.Check(json.Unmarshal(request(ts, http.MethodGet, "/_emulator/state", ""), &all))
	v, err := at(all, args[0])
	ts.Check(err)
	got, isText := v.(string)
	if !isText && v != nil {
		data, err := json.Marshal(v)
		ts.Check(err)
		got = string(data)
	}
	whole(ts, args[0], got, args[1])
}

func deployments(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 1, 1)
	var all struct {
		Apps []struct{ Deployments []any }
	}
	ts.Check(json.Unmarshal(request(ts, http.MethodGet, "/_emulator/state", ""), &all))
	n := 0
	for _, app := range all.Apps {
		n += len(app.Deployments)
	}
	whole(ts, "deployments", strconv.Itoa(n), args[0])
}

func requests(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 1, 3)
	var all struct {
		Requests []struct{ Method, Path string }
	}
	ts.Check(json.Unmarshal(request(ts, http.MethodGet, "/_emulator/requests", ""), &all))
	n, seen := 0, ""
	pattern, err := regexp.Compile(strings.Join(args[min(len(args), 2):], ""))
	ts.Check(err)
	for _, r := range all.Requests {
		seen += "\n" + r.Method + " " + r.Path
		if (len(args) == 1 || r.Method == args[1]) && pattern.MatchString(r.Path) {
			n++
		}
	}
	if want := regexp.MustCompile(`^(` + args[0] + `)$`); !want.MatchString(strconv.Itoa(n)) {
		ts.Fatalf("expected %s requests %v, got %d of these:%s", args[0], args[1:], n, seen)
	}
}

func secret(ts *testscript.TestScript, neg bool, args []string) {
	e := worldOf(ts).emulator
	got, there := e.SecretValue(e.Apps()[0].ID, args[0])
	if neg || !there {
		if neg == there {
			ts.Fatalf("secret %s: expected it to be there: %t", args[0], !neg)
		}
		return
	}
	if want := textOrFile(ts, args[1]); got != want {
		ts.Fatalf("secret %s: expected %q to be %q", args[0], got, want)
	}
}

// textOrFile is what an argument says, or the file that it names after an @.
func textOrFile(ts *testscript.TestScript, arg string) string {
	if name, isFile := strings.CutPrefix(arg, "@"); isFile {
		return ts.ReadFile(name)
	}
	return arg
}

func serveTLS(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 0, 0)
	server := httptest.NewUnstartedServer(worldOf(ts).emulator)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // of clients that know no ca.pem
	server.StartTLS()
	ts.Defer(server.Close)
	ts.Setenv("EMULATOR_TLS_URL", server.URL)
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	ts.Check(os.WriteFile(ts.MkAbs("ca.pem"), cert, 0o600))
}
