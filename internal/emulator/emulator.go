package emulator

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Options is what an emulator starts with. The zero value is a working emulator.
type Options struct {
	Token        string // the personal access token it accepts; derived from Seed when empty
	ClientID     string // of the OAuth client; "local-client" when empty
	ClientSecret string // derived from Seed when empty
	Org          string // the organization's handle; "local" when empty

	// How long a deployment stays queued and in progress unless its Outcome says otherwise; 0 means 1 s and 3 s.
	Queued, InProgress time.Duration

	// Log receives one line for each request; it is called by several goroutines at a time.
	Log func(line string)
	// FaultFor is asked for a fault before the armed ones are; nil from it means none. It is called by several
	// goroutines at a time and must answer from the Incoming alone where runs are to be repeatable.
	FaultFor func(Incoming) *Fault
	// KeepBodies makes Request.Body work. Bodies hold secrets: for tests only.
	KeepBodies bool
	// Seed decides ids of requests, keys, tokens and masks. The same seed and the same requests give the same.
	Seed uint64
}

// Emulator is a local Spice Cloud. It is an http.Handler and safe for concurrent use. Make one with New.
type Emulator struct {
	opts          Options
	routes        []route
	runtimeRoutes []runtimeRoute

	mu    sync.Mutex // guards state; never held during a delay, I/O or a callback
	state *state
}

// New makes an emulator with one organization, no app, and the credentials of the options.
func New(opts Options) *Emulator {
	opts.Org = cmp.Or(opts.Org, "local")
	opts.ClientID = cmp.Or(opts.ClientID, "local-client")
	opts.Token = cmp.Or(opts.Token, "emu_pat_"+derive(opts.Seed, 32, "token"))
	opts.ClientSecret = cmp.Or(opts.ClientSecret, "emu_cs_"+derive(opts.Seed, 32, "client-secret"))
	opts.Queued = cmp.Or(opts.Queued, time.Second)
	opts.InProgress = cmp.Or(opts.InProgress, 3*time.Second)
	return &Emulator{opts: opts, routes: routes(), runtimeRoutes: runtimeRoutes(), state: newState(opts)}
}

// Token is the personal access token that is accepted.
func (e *Emulator) Token() string { return e.opts.Token }

// ClientID is the OAuth client's id.
func (e *Emulator) ClientID() string { return e.opts.ClientID }

// ClientSecret is the OAuth client's secret.
func (e *Emulator) ClientSecret() string { return e.opts.ClientSecret }

// Org is the handle of the organization that the credentials belong to.
func (e *Emulator) Org() string { return e.opts.Org }

// Reset forgets everything that happened since New; minted and issued tokens stop working.
func (e *Emulator) Reset() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state = newState(e.opts)
}

// Apply takes a scenario over: its settings are changed, everything else is added. When it returns an error,
// nothing has changed.
func (e *Emulator) Apply(sc Scenario) error {
	if err := sc.validate(); err != nil {
		return err
	}
	e.enter()
	defer e.mu.Unlock()
	return e.state.apply(sc, time.Now())
}

// AddApp adds an app as if it had been there before and returns its id.
func (e *Emulator) AddApp(spec App) (int64, error) {
	if err := (Scenario{Apps: []App{spec}}).validate(); err != nil {
		return 0, err
	}
	e.enter()
	defer e.mu.Unlock()
	a, err := e.state.addApp(spec, time.Now())
	if err != nil {
		return 0, err
	}
	return a.id, nil
}

// AddDeployment adds a deployment that somebody else started, whatever else runs, and returns its id.
func (e *Emulator) AddDeployment(appID int64, spec Deployment) (int64, error) {
	if err := spec.problems(""); err != nil {
		return 0, fmt.Errorf("add deployment: %w", err)
	}
	e.enter()
	defer e.mu.Unlock()
	a := e.state.appByID(appID)
	if a == nil {
		return 0, fmt.Errorf("add deployment: no app with id %d", appID)
	}
	return e.state.addDeployment(a, spec, time.Now()).id, nil
}

// AddOutcomes sets what becomes of the next deployments that are asked for through the API, in turn.
func (e *Emulator) AddOutcomes(outcomes ...Outcome) error {
	return e.Apply(Scenario{Outcomes: outcomes})
}

// AddFaults arms faults after those that are armed already.
func (e *Emulator) AddFaults(faults ...Fault) error { return e.Apply(Scenario{Faults: faults}) }

// ClearFaults disarms all faults.
func (e *Emulator) ClearFaults() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state.faults = nil
}

// Settings is a copy of the present settings.
func (e *Emulator) Settings() Settings {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.state.settings
}

// Configure changes settings; an invalid result is refused and changes nothing. The change must not call the
// emulator.
func (e *Emulator) Configure(change SettingsChange) error {
	return e.Apply(Scenario{Settings: change})
}

// MintToken makes a further token with the scopes, role and lifetime given.
func (e *Emulator) MintToken(spec TokenSpec) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.state.mint(spec, time.Now())
}

// SecretValue is the stored value of an app's secret. For tests: the API never tells it.
func (e *Emulator) SecretValue(appID int64, name string) (string, bool) {
	e.enter()
	defer e.mu.Unlock()
	if a := e.state.appByID(appID); a != nil && a.secrets[name] != nil {
		return a.secrets[name].value, true
	}
	return "", false
}

// APIKeys is an app's keys of the data plane; a missing one is "".
func (e *Emulator) APIKeys(appID int64) (primary, secondary string) {
	e.enter()
	defer e.mu.Unlock()
	if a := e.state.appByID(appID); a != nil {
		return a.keys[0], a.keys[1]
	}
	return "", ""
}

// state is everything that a request can change. Its methods expect the emulator's lock to be held.
type state struct {
	opts     Options
	settings Settings

	orgs    []Org // the token owner's organizations, the credentials' own first
	users   []string
	members []*member
	repos   map[string]Repository // by lower-case owner/name
	apps    []*app                // in the order of their ids, deleted ones too
	tokens  map[string]*token

	outcomes []Outcome
	faults   []*armedFault
	runtime  *Runtime // of apps that have no script of their own

	postponed []*call // by the moment they are due

	requests []*Request
	seen     map[string]int // how often a method, path and secret name came in

	lastApp, lastDeployment, lastUser int64
	minted                            int

	window  time.Time // the second that the rate limit counts in
	counted int
}

func newState(opts Options) *state {
	s := &state{
		opts:           opts,
		settings:       defaultSettings(opts),
		orgs:           []Org{{Name: opts.Org}},
		users:          []string{"jdoe"},
		repos:          map[string]Repository{},
		tokens:         map[string]*token{},
		seen:           map[string]int{},
		lastApp:        100,
		lastDeployment: 1000,
		lastUser:       1,
	}
	s.members = []*member{{id: 1, username: "local-owner", roles: []string{"owner"}, created: time.Now()}}
	s.tokens[opts.Token] = &token{name: "default", org: opts.Org, standard: true}
	return s
}

// derive is n (at most 64) hexadecimal digits that depend on the seed and the parts alone, not on the order in
// which requests come in.
func derive(seed uint64, n int, parts ...any) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d", seed)
	for _, part := range parts {
		fmt.Fprintf(h, "\x00%v", part)
	}
	return hex.EncodeToString(h.Sum(nil))[:n]
}

func (s *state) derive(n int, parts ...any) string { return derive(s.opts.Seed, n, parts...) }

// stamp is a point in time as the service writes it, by the service's clock.
func (s *state) stamp(t time.Time) string {
	return t.Add(s.settings.ClockSkew).UTC().Format("2006-01-02T15:04:05.000Z")
}

// stampOrNull is null for the zero time.
func (s *state) stampOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return new(s.stamp(t))
}

func (s *state) appByID(id int64) *app {
	for _, a := range s.apps {
		if a.id == id && !a.deleted {
			return a
		}
	}
	return nil
}

// appByName ignores case, as the service does.
func (s *state) appByName(org, name string) *app {
	for _, a := range s.apps {
		if !a.deleted && strings.EqualFold(a.org, org) && strings.EqualFold(a.name, name) {
			return a
		}
	}
	return nil
}
