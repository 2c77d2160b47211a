package config

import (
	"regexp"
	"strings"

	"github.com/spicedeploy/spice-deploy/internal/redact"
)

// applyRules checks the options against each other. What is reported already counts as given, so that a value
// that could not be read is not also reported as missing.
func (l *lookup) applyRules(o *Options, taken []option, found map[string]given) {
	has := func(name string) bool {
		_, ok := found[name]
		return ok || l.reported(name)
	}
	takes := func(name string) bool {
		for _, opt := range taken {
			if opt.name == name {
				return true
			}
		}
		return false
	}
	if takes("verbose") && !has("verbose") {
		o.Verbose = l.vars["RUNNER_DEBUG"] == "1" // set by GitHub's runner on a re-run with debug logging
	}
	o.SpicepodGiven = has("spicepod")
	if takes("api-token") {
		l.chooseCredentials(o, found)
	}
	if takes("app-id") && !has("app-id") && !has("app-name") && !o.Emulator {
		l.problem("app-name", "expected the name of the app, or app-id, got neither")
	}
	if o.CreateAppIfMissing && !o.Emulator {
		l.checkCreation(o, has)
	}
	if o.SecretsPrune && (o.Emulator || o.Credentials == Token || o.Credentials == Client) &&
		!has("secrets") && !has("secrets-from-env") && !has("secrets-file") {
		l.problem("secrets-prune", "no secret is given, so every secret of the app would be deleted; "+
			"give secrets, secrets-from-env or secrets-file")
	}
	if has("emulator-faults") && takes("emulator") && !o.Emulator {
		l.problem("emulator-faults", "faults are for a rehearsal; set emulator to true or remove it")
	}
	if takes("test-sql") {
		l.checkProbes(o, takes("wait-for-completion"), has)
	}
	if o.FlightURL != "" {
		l.notice("flight-url is accepted and not used: probes go over HTTP")
	}
}

// checkProbes checks what is to be verified.
func (l *lookup) checkProbes(o *Options, deploys bool, has func(string) bool) {
	probed := o.TestSQL+o.TestNSQL+o.TestChat+o.TestSearch+o.TestMCPTool != ""
	switch {
	case deploys && !o.WaitForCompletion && (probed || o.RollbackOnFailure):
		l.notice("nothing is verified or rolled back, since wait-for-completion is false")
	case !deploys && !probed && o.DatasetReadyTimeout == 0 && !l.reported("dataset-ready-timeout-seconds"):
		l.problem("dataset-ready-timeout-seconds", "with 0 and no probe there is nothing to verify; raise it, or set test-sql or another probe")
	}
	if has("test-mcp-arguments") && !has("test-mcp-tool") {
		l.notice("test-mcp-arguments is not used, since test-mcp-tool is not set")
	}
}

// appName is what Spice Cloud documents for the name of a new app. Older apps may have other names.
var appName = regexp.MustCompile(`^[A-Za-z0-9-]{4,38}$`)

func (l *lookup) checkCreation(o *Options, has func(string) bool) {
	if !has("region") {
		l.problem("create-app-if-missing", "an app cannot be created without a region; set region, such as us-east-1")
	}
	switch {
	case !has("app-name"):
		l.problem("create-app-if-missing", "an app cannot be created without a name; set app-name")
	case !l.reported("app-name") && !appName.MatchString(o.AppName):
		l.problem("app-name", "expected 4 to 38 letters, digits and dashes for an app that may be created, got %s",
			quote(o.AppName))
	}
}

// chooseCredentials decides between a token and a client. Given at one level they contradict each other; else
// the user's nearer word counts, and the other is dropped, so that nothing uses it by accident.
func (l *lookup) chooseCredentials(o *Options, found map[string]given) {
	token, hasToken := found["api-token"]
	var halves []string
	clientLevel := levels
	for _, name := range []string{"client-id", "client-secret"} {
		if half, ok := found[name]; ok {
			halves = append(halves, half.source)
			clientLevel = min(clientLevel, half.level)
		}
	}
	client := strings.Join(halves, " and ")
	switch {
	case !hasToken || client == "":
	case token.level == clientLevel:
		l.problem("api-token", "a token and an OAuth client are both given (%s; %s); remove one", token.source, client)
	case token.level < clientLevel:
		l.notice("ignored %s in favour of %s", client, token.source)
		o.Ignored = append(o.Ignored, o.ClientSecret)
		o.ClientID, o.ClientSecret = "", redact.Secret{}
	default:
		l.notice("ignored %s in favour of %s", token.source, client)
		o.Ignored = append(o.Ignored, o.APIToken)
		o.APIToken = redact.Secret{}
	}
	switch {
	case !o.APIToken.IsZero():
		o.Credentials = Token
	case o.ClientID != "" && !o.ClientSecret.IsZero():
		o.Credentials = Client
	case o.ClientID != "" || !o.ClientSecret.IsZero():
		o.Credentials = HalfClient
	}
}
