// Package config turns flags and environment variables into the options of a run.
//
// One table (table.go) names every option; flags, environment names, help, action.yml, the tables of the
// README and all checks are derived from it. Everything wrong with the input is collected, so that one run
// shows it all, and no message repeats a secret.
//
// The package reads no file but the ones that a secret flag names with @FILE, never looks at the process's
// own environment and makes no request: whether an app, a region or a file exists is for others to find out.
package config

import (
	"time"

	"github.com/spicedeploy/spice-deploy/internal/redact"
)

// Options is what the user asked for, parsed and checked. The README's table of inputs says what each means.
// A zero value means "not given" where the table has no default.
type Options struct {
	Command string // "deploy", "plan", "verify", "delete", "emulator" or "version"

	APIToken     redact.Secret
	ClientID     string
	ClientSecret redact.Secret
	Scope        string
	Credentials  Credentials
	// Ignored holds the secret credentials that lost to ones of a higher level. They are not used, but the
	// environment still has them: they are to be masked and never to be sent as an app's secrets.
	Ignored []redact.Secret

	APIURL        string // without trailing slash
	OAuthTokenURL string // without trailing slash, "" where it is to be derived from APIURL
	CAFile        string
	Org           string

	AppID              int64
	AppName            string
	CreateAppIfMissing bool
	Region             string
	Visibility         string
	Tags               map[string]string

	Spicepod         string
	SpicepodGiven    bool // false where Spicepod is the default, which need not be there
	WorkingDirectory string
	ImageTag         string
	Channel          string
	Replicas         int
	Debug            *bool
	Branch           string
	CommitSHA        string
	CommitMessage    string // one line, see [CommitSubject]

	Secrets        redact.Secret // the block as it was written
	SecretsFromEnv string
	SecretsFile    string
	SecretsExclude []string // patterns of path.Match
	SecretsPrune   bool
	MissingSecrets string

	OnConflict        string
	OnSuperseded      string
	IfPaused          string
	IfConnected       string
	WaitForCompletion bool
	Timeout           time.Duration
	PollInterval      time.Duration

	DryRun               bool
	OnMissingCredentials string
	AllowFork            bool
	Emulator             bool
	EmulatorFaults       string

	TestSQL             string
	TestNSQL            string
	TestChat            string
	TestChatModel       string
	TestSearch          string
	TestMCPTool         string
	TestMCPArguments    string
	TestWarmup          time.Duration
	TestTimeout         time.Duration
	DatasetReadyTimeout time.Duration
	FailOnTestError     bool
	RuntimeURL          string // without trailing slash
	FlightURL           string
	RollbackOnFailure   bool

	GitHubToken       redact.Secret
	GitHubDeployment  bool
	GitHubEnvironment string
	PRComment         bool
	SkipIfStale       bool

	OutputFile  string
	SummaryFile string
	Verbose     bool

	ExitCode bool   // plan --exit-code
	Yes      bool   // delete --yes
	Listen   string // emulator --listen, host:port

	// Notices are for the log: what was given and is not used. They name sources, never values of secrets.
	Notices []string
}

// Credentials tells which credentials were found.
type Credentials int

// The kinds of credentials. NoCredentials and HalfClient are no problems of the input here: what is to be
// said about them depends on the CI system and the event.
const (
	NoCredentials Credentials = iota
	HalfClient                // client-id or client-secret without the other, see [Options.MissingHalf]
	Token
	Client
)

// MissingHalf names the option that is missing where Credentials is [HalfClient], else it is "".
func (o *Options) MissingHalf() string {
	switch {
	case o.Credentials != HalfClient:
		return ""
	case o.ClientID == "":
		return "client-id"
	default:
		return "client-secret"
	}
}
