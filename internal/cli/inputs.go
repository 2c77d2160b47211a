package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/ci"
	"github.com/spicedeploy/spice-deploy/internal/config"
	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
	"github.com/spicedeploy/spice-deploy/internal/spicepod"
	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
	"github.com/spicedeploy/spice-deploy/internal/workspace"
	"github.com/spicedeploy/spice-deploy/secretsync"
)

// inputs is everything that a run sends, read and checked once.
type inputs struct {
	workspace *workspace.Workspace
	manifest  *spicepod.Manifest
	secrets   secretsync.Set
	transport http.RoundTripper
	scenario  emulator.Scenario
	probes    []spiceruntime.Probe
}

// Files that are read have limits, so that a link to something endless costs nothing.
const (
	mostSpicepod = 1 << 20  // what the service takes in a request
	mostSecrets  = 64 << 20 // 1,000 secrets of 32 KiB, twice
	mostOther    = 4 << 20
)

// gather reads and checks all inputs. Every problem with them is reported together; a run that is skipped for
// want of credentials is a diag.Error with that result.
func (c *command) gather(loadErr error) (*inputs, error) {
	var problems diag.Problems
	problems = add(problems, loadErr)
	o, in := c.options, &inputs{}
	// What is deployed is what the spicepod's folder holds: for a pull_request_target it may be a second checkout.
	c.facts = ci.FactsAt(c.getenv, filepath.Join(o.WorkingDirectory, filepath.Dir(o.Spicepod)))
	c.fillFromCI()
	if stop := c.checkCredentials(problems); stop != nil {
		if problem, ok := errors.AsType[diag.Problem](stop); ok {
			return in, append(problems, problem)
		}
		if len(problems) == 0 {
			return in, stop
		}
	}
	problems = add(problems, c.checkFork())
	var err error
	in.workspace, err = c.openWorkspace(o.WorkingDirectory)
	if err != nil {
		return in, append(problems, problemOf("working-directory", err))
	}
	problems = add(problems, in.read(o))
	problems = add(problems, in.checkResults(o))
	problems = add(problems, in.readProbes(o))
	set, err := c.collectSecrets(in)
	problems = add(problems, err)
	in.secrets = set
	return in, problems.Err()
}

// checkFork refuses the head of a fork, and what may be one, unless that is allowed or nothing is deployed.
func (c *command) checkFork() error {
	o, fork := c.options, "the fork "+c.facts.ForkOf
	switch {
	case o.AllowFork || o.DryRun || o.Emulator || o.Command == "verify":
		return nil
	case c.facts.ForkUnknown:
		return diag.Problem{
			Option: "allow-fork",
			Message: "it cannot be told whether the commit is the head of a fork, which is not deployed unless allowed: " +
				"the event file of the CI system could not be read or does not name the head's repository",
			Hint: "make the file that GITHUB_EVENT_PATH names readable for this step, in a container too; " +
				"set allow-fork: true only where every commit that can come here has been reviewed",
		}
	case c.facts.ForkOf == "":
		return nil
	case c.facts.ForkOf == ci.DeletedFork, c.facts.ForkOf == ci.UnnamedFork:
		fork = c.facts.ForkOf
	}
	return diag.Problem{
		Option: "allow-fork", Hint: diag.Hint(diag.ForkHead),
		Message: "the commit is the head of " + fork + ", which is not deployed unless allowed",
	}
}

// openWorkspace opens what the options may name files in: the workspace, the CI system's temporary folder, and the
// folders of files that are named absolutely. CI systems put files of secrets and results outside the checkout, and
// such a name is the word of whoever wrote the pipeline. The spicepod comes from the checkout, always.
func (c *command) openWorkspace(dir string) (*workspace.Workspace, error) {
	o, root := c.options, cmp.Or(c.facts.Workspace, ".")
	if c.facts.Folder != "" {
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(c.facts.Folder, dir)
		}
		rel, err := filepath.Rel(root, dir)
		switch {
		case err == nil && filepath.IsLocal(rel):
			dir = rel
		case c.facts.System == "":
			root, dir = dir, "" // on a laptop a folder that the user names elsewhere is the workspace
		}
	}
	extra := []string{c.facts.TempDir}
	for _, name := range []string{o.SecretsFile, o.CAFile, o.EmulatorFaults, o.OutputFile, o.SummaryFile} {
		if filepath.IsAbs(name) {
			extra = append(extra, filepath.Dir(name))
		}
	}
	return workspace.Open(root, dir, extra...)
}

// fillFromCI takes from the CI system what the user did not say.
func (c *command) fillFromCI() {
	o := c.options
	o.Branch = cmp.Or(o.Branch, c.facts.Branch)
	o.CommitSHA = cmp.Or(o.CommitSHA, c.facts.Commit)
	o.CommitMessage = cmp.Or(o.CommitMessage, config.CommitSubject(c.facts.Message))
}

func (c *command) hasCredentials() bool {
	o := c.options
	return o.Emulator || o.Credentials == config.Token || o.Credentials == config.Client
}

// checkCredentials says what missing credentials mean in this CI system: a problem, or a run that is skipped. Those
// that were found to be wrong are not missing.
func (c *command) checkCredentials(found diag.Problems) error {
	o := c.options
	wrong := slices.ContainsFunc(found, func(p diag.Problem) bool {
		return slices.Contains([]string{"api-token", "client-id", "client-secret"}, p.Option)
	})
	if wrong || c.hasCredentials() {
		return nil
	}
	switch o.OnMissingCredentials {
	case "dry-run":
		o.DryRun = true
		return nil
	case "skip":
		return &diag.Error{Result: diag.Skipped, Err: errors.New("there are no credentials, and on-missing-credentials is skip")}
	}
	cause, why := diag.NoCredentials, ""
	if c.facts.UntrustedPullRequest {
		cause, why = diag.NoCredentialsFork, "; CI gives no secrets to pull requests from forks and to those that Dependabot opens"
	}
	problem := diag.Problem{Option: "api-token", Message: "there are no credentials for Spice Cloud: neither api-token nor client-id and client-secret" + why, Hint: diag.Hint(cause)}
	if half := o.MissingHalf(); half != "" {
		problem.Option, problem.Message = half, "an OAuth client needs both client-id and client-secret, and "+half+" is empty"
	}
	return problem
}

// warnOfMissingCredentials says that a run which passes for want of credentials is not one that CI keeps them from:
// whoever lets pull requests from forks pass should hear that a secret is gone.
func (c *command) warnOfMissingCredentials(result *deploy.Result) {
	passed := result.Result == diag.Skipped || result.Result == diag.Planned
	if !passed || c.hasCredentials() || c.facts.UntrustedPullRequest || c.facts.System == "" {
		return
	}
	text := "there are no credentials, though this run is for no pull request from a fork and none that Dependabot opened: is the CI secret behind api-token or client-secret gone?"
	c.log.line("inputs", "warning: %s", text)
	result.Warnings = append(result.Warnings, text)
}

// checkOffline ends a run without credentials that is to be a dry run: what can be checked without asking anybody has
// been checked by then.
func (c *command) checkOffline(in *inputs) error {
	if c.hasCredentials() {
		return nil
	}
	text := "dry run without credentials: the inputs are valid"
	if in.manifest != nil {
		text = "dry run without credentials: the inputs and the spicepod are valid"
		var needed []string
		for _, ref := range in.manifest.References() {
			if ref.Managed && !slices.Contains(needed, ref.Key) {
				needed = append(needed, ref.Key)
			}
		}
		if len(needed) > 0 {
			text += "; it refers to the secrets " + strings.Join(needed, ", ")
		}
	}
	return &diag.Error{Result: diag.Planned, Err: errors.New(text + "; Spice Cloud was not asked what would change, and nothing was changed")}
}

// read reads the files that the options name. What was checked is what is sent: no file is opened again.
func (in *inputs) read(o *config.Options) error {
	var problems diag.Problems
	data, err := in.workspace.Read(o.Spicepod, mostSpicepod)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !o.SpicepodGiven && !o.Emulator:
	case err != nil:
		problems = append(problems, problemOf("spicepod", err))
	default:
		in.manifest, err = spicepod.Parse(filepath.ToSlash(filepath.Join(o.WorkingDirectory, o.Spicepod)), data)
		problems = add(problems, err)
	}
	problems = add(problems, in.readFaults(o))
	problems = add(problems, in.readCA(o))
	return problems.Err()
}

// checkResults finds the files for the results that cannot be written while nothing is deployed yet. They are
// dropped, since what is wrong with them is said here.
func (in *inputs) checkResults(o *config.Options) error {
	var problems diag.Problems
	for _, file := range []struct {
		option string
		name   *string
	}{{"output-file", &o.OutputFile}, {"summary-file", &o.SummaryFile}} {
		if *file.name == "" {
			continue
		}
		err := in.workspace.Writable(*file.name)
		if other := usedBy(o, *file.name, file.option); err == nil && other != "" {
			err = fmt.Errorf("%s is what %s names, and would be overwritten; name another file", *file.name, other)
		}
		if err != nil {
			problems = append(problems, problemOf(file.option, err))
			*file.name = ""
		}
	}
	return problems.Err()
}

// usedBy is the option that names the same file, "" where none does.
func usedBy(o *config.Options, name, option string) string {
	for _, other := range []struct{ option, name string }{
		{"spicepod", o.Spicepod},
		{"secrets-file", o.SecretsFile},
		{"ca-file", o.CAFile},
		{"emulator-faults", o.EmulatorFaults},
		{"output-file", o.OutputFile},
		{"summary-file", o.SummaryFile},
	} {
		if other.option != option && other.name != "" && filepath.Clean(other.name) == filepath.Clean(name) {
			return other.option
		}
	}
	return ""
}

// readProbes reads the probes of the runtime.
func (in *inputs) readProbes(o *config.Options) (err error) {
	in.probes, err = spiceruntime.ParseProbes(spiceruntime.Inputs{
		SQL: o.TestSQL, NSQL: o.TestNSQL, Chat: o.TestChat, ChatModel: o.TestChatModel, Search: o.TestSearch,
		MCPTool: o.TestMCPTool, MCPArguments: o.TestMCPArguments,
	})
	return err
}

// readFaults reads the scenario of the emulator.
func (in *inputs) readFaults(o *config.Options) error {
	if o.EmulatorFaults == "" {
		return nil
	}
	data, err := in.workspace.Read(o.EmulatorFaults, mostOther)
	if err != nil {
		return problemOf("emulator-faults", err)
	}
	if in.scenario, err = emulator.ParseScenario(data); err != nil {
		return diag.Problem{Option: "emulator-faults", File: o.EmulatorFaults, Message: err.Error()}
	}
	return nil
}

// readCA makes the transport, which trusts the certificates of ca-file too.
func (in *inputs) readCA(o *config.Options) error {
	var data []byte
	var err error
	if o.CAFile != "" {
		if data, err = in.workspace.Read(o.CAFile, mostOther); err != nil {
			return problemOf("ca-file", err)
		}
	}
	if in.transport, err = spicecloud.NewTransport(data); err != nil {
		return diag.Problem{Option: "ca-file", File: o.CAFile, Message: err.Error()}
	}
	return nil
}

// collectSecrets collects the secrets of all sources, and masks them before anything of them can be printed.
func (c *command) collectSecrets(in *inputs) (secretsync.Set, error) {
	o := c.options
	sources := secretsync.Sources{
		Block: o.Secrets, FromEnv: o.SecretsFromEnv, FileName: o.SecretsFile, Exclude: o.SecretsExclude, Environ: c.Environ,
		Credentials:    append([]redact.Secret{o.APIToken, o.ClientSecret, o.GitHubToken}, o.Ignored...),
		EmptyIsWarning: !c.hasCredentials(), // where CI gives no secrets, all of them are empty
	}
	if o.SecretsFile != "" {
		data, err := in.workspace.Read(o.SecretsFile, mostSecrets)
		if err != nil {
			return secretsync.Set{}, diag.Problems{problemOf("secrets-file", err)}
		}
		sources.File = data
	}
	set, err := secretsync.Collect(sources)
	for _, s := range set.Secrets {
		c.mask(s.Value)
	}
	given := !o.Secrets.IsZero() || o.SecretsFromEnv != "" || o.SecretsFile != ""
	if err == nil && o.SecretsPrune && given && len(set.Secrets) == 0 { // that no source is given was said before
		err = diag.Problems{{Option: "secrets-prune", Message: "the sources hold no secret, so this would delete them all; give the ones to keep, or remove secrets-prune"}}
	}
	return set, err
}

// add appends what is wrong to the problems, whatever kind of error it comes as.
func add(problems diag.Problems, err error) diag.Problems {
	if err == nil {
		return problems
	}
	if more, ok := errors.AsType[diag.Problems](err); ok {
		return append(problems, more...)
	}
	if one, ok := errors.AsType[diag.Problem](err); ok {
		return append(problems, one)
	}
	return append(problems, diag.Problem{Message: err.Error()})
}

func problemOf(option string, err error) diag.Problem {
	return diag.Problem{Option: option, Message: err.Error()}
}

// spareFacts keeps the facts of the run readable where a secret has the same value, and says so.
func (c *command) spareFacts(secrets []secretsync.Secret) {
	o := c.options
	facts := slices.DeleteFunc([]string{o.AppName, o.Org, o.Region, o.Branch, o.CommitSHA, c.facts.Repository}, func(s string) bool { return s == "" })
	c.redactor.Spare(facts...)
	for _, s := range secrets {
		if i := slices.Index(facts, s.Value.Reveal()); i >= 0 {
			c.log.line("secrets", "warning: the secret %s has the value of a fact of this run (the app's name, organization, region, branch, commit or repository), which is shown all the same", s.Name)
		}
		if everyday(s.Value) {
			c.log.line("secrets", "warning: the secret %s has the value of a word that this tool writes itself, so it is not masked", s.Name)
		}
	}
}
