package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	stdlog "log"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/config"
	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/secretsync"
)

// emulator runs the command emulator: a local Spice Cloud that serves until it is stopped.
func (c *command) emulator(ctx context.Context, loadErr error) int {
	e, err := c.startEmulator(ctx, loadErr)
	if err != nil {
		for _, p := range add(nil, err) {
			c.problem(p)
		}
		return diag.InvalidInput.ExitCode()
	}
	defer e.stop()
	if len(e.Apps()) == 0 {
		if _, err := e.AddApp(emulator.App{Name: "local-app"}); err != nil {
			c.log.line("emulator", "the first app could not be added: %s", err)
		}
	}
	c.log.line("emulator", "a local Spice Cloud at %s; stop it with Ctrl-C", e.url)
	c.log.line("api-token", "%s", e.Token())
	c.log.line("client", "%s with the secret %s", e.ClientID(), e.ClientSecret())
	for _, app := range e.Apps() {
		c.log.line("app", "%s (id %d)", app.Name, app.ID)
	}
	c.log.line("try", "SPICE_API_URL=%s SPICE_API_TOKEN=%s spice-deploy --app-name %s", e.url, e.Token(), e.Apps()[0].Name)
	c.log.line("faults", "curl %s/_emulator/state shows what is there; https://github.com/spicedeploy/spice-deploy/blob/main/docs/emulator.md tells how to break it", e.url)
	_ = c.log.flush()
	select {
	case <-ctx.Done():
		return 0
	case err := <-e.failed:
		c.log.line("emulator", "stopped: %s", err)
		return diag.InternalError.ExitCode()
	}
}

func (c *command) startEmulator(ctx context.Context, loadErr error) (*served, error) {
	problems := add(nil, loadErr)
	in := &inputs{}
	if c.options.EmulatorFaults != "" {
		var err error
		if in.workspace, err = c.openWorkspace(c.options.WorkingDirectory); err != nil {
			return nil, append(problems, problemOf("working-directory", err))
		}
		defer in.workspace.Close()
		problems = add(problems, in.readFaults(c.options))
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return c.serve(ctx, c.options.Listen, in.scenario, emulator.Options{Log: func(line string) {
		c.log.line("request", "%s", line)
		_ = c.log.flush() // it serves whether or not anybody reads
	}})
}

// served is an emulator that listens.
type served struct {
	*emulator.Emulator

	url    string
	failed chan error
	stop   func()
}

// serve starts an emulator on an address, with the faults of the file that emulator-faults names.
func (c *command) serve(ctx context.Context, address string, scenario emulator.Scenario, options emulator.Options) (*served, error) {
	e := emulator.New(options)
	if err := e.Apply(scenario); err != nil {
		return nil, diag.Problems{{Option: "emulator-faults", File: c.options.EmulatorFaults, Message: err.Error()}}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, diag.Problems{{Option: "listen", Message: fmt.Sprintf("cannot listen on %s: %s; choose another port, or port 0 for a free one", address, err)}}
	}
	server := &http.Server{Handler: e, ReadHeaderTimeout: 10 * time.Second, ErrorLog: stdlog.New(c.redactor.NewWriter(c.Stderr), "", 0)}
	s := &served{Emulator: e, url: "http://" + listener.Addr().String(), failed: make(chan error, 1)}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	}()
	s.stop = func() { _ = server.Close() }
	return s, nil
}

// emulatorRegion is the region of an app that a rehearsal creates where none is given: the emulator's default.
const emulatorRegion = "us-east-1"

// emulate points a run at an emulator inside this process: app, name and region come from the spicepod, and
// secrets that nobody gave are made up.
func (c *command) emulate(ctx context.Context, in *inputs) (stop func(), err error) {
	o := c.options
	s, err := c.serve(ctx, "127.0.0.1:0", in.scenario, emulator.Options{Org: o.Org})
	if err != nil {
		return nil, err
	}
	o.APIURL, o.OAuthTokenURL = s.url, ""
	o.APIToken, o.ClientID, o.ClientSecret, o.Credentials = redact.New(s.Token()), "", redact.Secret{}, config.Token
	c.mask(o.APIToken)
	o.AppID, o.AppName = 0, cmp.Or(o.AppName, appName(in.manifest.Name))
	o.CreateAppIfMissing, o.Region = true, cmp.Or(o.Region, emulatorRegion)
	o.Org = s.Org()
	c.log.line("emulator", "a local Spice Cloud inside this process: no account is needed and nothing leaves this machine")
	made := c.makeUpSecrets(in)
	if len(made) > 0 {
		c.log.line("emulator", "made up for this rehearsal, since nobody gave them: the secrets %s", strings.Join(made, ", "))
	}
	return s.stop, nil
}

// makeUpSecrets adds a value for every secret that the spicepod refers to and nobody gave.
func (c *command) makeUpSecrets(in *inputs) []string {
	var refs, made []string
	for _, ref := range in.manifest.References() {
		if ref.Managed {
			refs = append(refs, ref.Key)
		}
	}
	for _, missing := range secretsync.Missing(refs, in.secrets, nil) {
		value := redact.New("made-up-" + strings.ToLower(missing.Name))
		in.secrets.Secrets = append(in.secrets.Secrets, secretsync.Secret{Name: missing.Name, Value: value, Source: "emulator"})
		c.mask(value)
		made = append(made, missing.Name)
	}
	return made
}

var notInAppName = regexp.MustCompile(`[^A-Za-z0-9-]+`)

// appName makes an app's name of a spicepod's: 4 to 38 letters, digits and dashes.
func appName(name string) string {
	name = strings.Trim(notInAppName.ReplaceAllString(name, "-"), "-")
	if len(name) < 4 {
		name = "app-" + name
	}
	return strings.Trim(name[:min(len(name), 38)], "-")
}
