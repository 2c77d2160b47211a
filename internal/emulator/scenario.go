package emulator

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// Scenario is a situation to rehearse: what the service is like, what is there, and what goes wrong.
type Scenario struct {
	Settings     SettingsChange `yaml:"settings"`
	Orgs         []Org          `yaml:"orgs"`  // further organizations of the token's owner
	Users        []string       `yaml:"users"` // who has signed in before and can become a member
	Repositories []Repository   `yaml:"repositories"`
	Apps         []App          `yaml:"apps"`
	Runtime      *Runtime       `yaml:"runtime"`  // of every app that has none of its own, later ones too
	Outcomes     []Outcome      `yaml:"outcomes"` // of the next deployments, in turn; then they succeed again
	Faults       []Fault        `yaml:"faults"`
}

// App is an app that is there before anything happens.
type App struct {
	ID               int64             `yaml:"id"` // the next free one when 0
	Name             string            `yaml:"name"`
	Org              string            `yaml:"org"`        // the credentials' own when empty
	Region           string            `yaml:"region"`     // us-east-1 when empty
	Standalone       bool              `yaml:"standalone"` // no placement: Spice does not run it
	Description      string            `yaml:"description"`
	Visibility       string            `yaml:"visibility"` // private when empty
	ProductionBranch string            `yaml:"production_branch"`
	Tags             map[string]string `yaml:"tags"`
	Spicepod         any               `yaml:"spicepod"` // YAML text or a mapping
	Secrets          map[string]string `yaml:"secrets"`  // names and values
	UpdateChannel    string            `yaml:"update_channel"`
	ImageTag         string            `yaml:"image_tag"`
	Replicas         int               `yaml:"replicas"` // 1 when 0
	Paused           bool              `yaml:"paused"`
	Repository       string            `yaml:"repository"`     // connected to this one of the scenario's repositories
	NoPrimaryKey     bool              `yaml:"no_primary_key"` // api_key is null, api_key_2 is there
	Deployments      []Deployment      `yaml:"deployments"`    // oldest first
	Runtime          *Runtime          `yaml:"runtime"`        // the scenario's when nil
}

// Deployment is one that the client under test did not ask for.
type Deployment struct {
	Outcome       `yaml:",inline"`
	Age           time.Duration `yaml:"age"`   // how long ago it was created
	Actor         string        `yaml:"actor"` // "somebody-else" when empty
	Branch        string        `yaml:"branch"`
	CommitSHA     string        `yaml:"commit_sha"`
	CommitMessage string        `yaml:"commit_message"`
	Source        string        `yaml:"creation_source"` // "api" when empty
	Spicepod      any           `yaml:"spicepod"`        // what it deployed, YAML text or a mapping; the app's when nil
}

// Outcome is what becomes of a deployment.
type Outcome struct {
	Queued     *time.Duration `yaml:"queued"`      // how long it waits; the settings' when nil
	InProgress *time.Duration `yaml:"in_progress"` // how long it takes from there; the settings' when nil
	// Status is where it ends: succeeded (when empty), failed, or any other word, which is served as it is;
	// stuck is in progress for ever, queued never starts.
	Status       string `yaml:"status"`
	ErrorCode    string `yaml:"error_code"`
	ErrorMessage string `yaml:"error_message"`
	// Shortage is a code such as insufficient_memory that shows while it is in progress, for ShortageFor from
	// its start, or to the end when 0.
	Shortage        string            `yaml:"shortage"`
	ShortageMessage string            `yaml:"shortage_message"`
	ShortageFor     time.Duration     `yaml:"shortage_for"`
	Words           map[string]string `yaml:"words"`     // other words for the states: in_progress: provisioning
	ImageTag        string            `yaml:"image_tag"` // the runtime that it resolved to
	Logs            []string          `yaml:"logs"`      // further lines of its instances' log
	Runtime         *Runtime          `yaml:"runtime"`   // of the runtime that it starts; the app's when nil
}

// ParseScenario reads YAML or JSON. An unknown field is an error that names it, its line and what is accepted.
func ParseScenario(data []byte) (Scenario, error) {
	var sc Scenario
	if err := decode(data, &sc); err != nil {
		return Scenario{}, err
	}
	return sc, sc.validate()
}

// decode is strict; nothing at all decodes to nothing. JSON is YAML but for the escapes of characters beyond 16
// bits, so JSON that has escapes is written without them first.
func decode(data []byte, into any) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	if bytes.Contains(data, []byte(`\u`)) && json.Valid(data) {
		var v any
		if err := json.Unmarshal(data, &v); err != nil {
			return err
		}
		data = encode(v)
	}
	err := yaml.Load(data, into, yaml.WithKnownFields())
	if one, ok := errors.AsType[*yaml.LoadError](err); ok {
		err = &yaml.LoadErrors{Errors: []*yaml.LoadError{one}}
	}
	if all, ok := errors.AsType[*yaml.LoadErrors](err); ok {
		lines := make([]error, len(all.Errors))
		for i, e := range all.Errors {
			lines[i] = fmt.Errorf("line %d: %s", e.Mark.Line, plainer(e.Message))
		}
		return errors.Join(lines...)
	}
	return err
}

var unknownField = regexp.MustCompile(`^field (\S+) not found in type emulator\.(\w+)$`)

// plainer says which fields there are in the place of a Go type's name.
func plainer(message string) string {
	m := unknownField.FindStringSubmatch(message)
	if m == nil {
		return message
	}
	for _, v := range slices.Concat(
		[]any{Scenario{}, Settings{}, Org{}, Repository{}, Head{}, App{}, Deployment{}, Outcome{}, Fault{}, TokenSpec{}, otherDeployment{}},
		[]any{Runtime{}, Component{}, ComponentError{}, SQLAnswer{}, NSQLAnswer{}, ChatAnswer{}, SearchAnswer{}, MCP{}, Tool{}},
	) {
		if t := reflect.TypeOf(v); t.Name() == m[2] {
			return fmt.Sprintf("unknown field %q, expected one of %s", m[1], strings.Join(fieldNames(t), ", "))
		}
	}
	return message
}

func fieldNames(t reflect.Type) []string {
	var names []string
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// validate finds everything that is wrong with a scenario by itself and completes its faults.
func (sc Scenario) validate() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if _, err := sc.Settings.apply(defaultSettings(Options{})); err != nil {
		fail("settings: %w", err)
	}
	for i, a := range sc.Apps {
		if !appNamePattern.MatchString(a.Name) {
			fail("apps[%d].name: expected 4 to 38 letters, digits or hyphens, got %q", i, a.Name)
		}
		if a.Region != "" && !slices.ContainsFunc(regions, func(r wireRegion) bool { return r.Region == a.Region }) {
			fail("apps[%d].region: unknown region %q", i, a.Region)
		}
		for _, name := range slices.Sorted(maps.Keys(a.Secrets)) {
			if !secretNamePattern.MatchString(name) {
				fail("apps[%d].secrets: %q is not a valid name", i, name)
			}
		}
		if _, err := manifest(a.Spicepod); err != nil {
			fail("apps[%d].spicepod: %w", i, err)
		}
		errs = append(errs, a.Runtime.problems(fmt.Sprintf("apps[%d].runtime", i)))
		for j, d := range a.Deployments {
			errs = append(errs, d.problems(fmt.Sprintf("apps[%d].deployments[%d].", i, j)))
		}
	}
	for i, r := range sc.Repositories {
		for _, branch := range slices.Sorted(maps.Keys(r.Branches)) {
			if _, err := manifest(r.Branches[branch].Spicepod); err != nil {
				fail("repositories[%d].branches.%s.spicepod: %w", i, branch, err)
			}
		}
	}
	errs = append(errs, sc.Runtime.problems("runtime"))
	for i, o := range sc.Outcomes {
		errs = append(errs, o.Runtime.problems(fmt.Sprintf("outcomes[%d].runtime", i)))
	}
	for i := range sc.Faults {
		if err := sc.Faults[i].complete(); err != nil {
			fail("faults[%d].%w", i, err)
		}
	}
	return errors.Join(errs...)
}

// problems is what is wrong with a deployment by itself; where stands before the names of its fields.
func (d Deployment) problems(where string) error {
	err := d.Runtime.problems(where + "runtime")
	if _, bad := manifest(d.Spicepod); bad != nil {
		err = errors.Join(fmt.Errorf("%sspicepod: %w", where, bad), err)
	}
	return err
}

// manifest takes YAML text, a mapping or nothing.
func manifest(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return parseSpicepod(v)
	case map[string]any:
		return parseSpicepod(string(encode(jsonable(v))))
	}
	return nil, fmt.Errorf("expected YAML text or a mapping, got %T", v)
}

// apply takes a validated scenario over. Everything that can still fail comes before the first change that
// matters: the apps are built on a copy of the list.
func (s *state) apply(sc Scenario, now time.Time) error {
	settings, err := sc.Settings.apply(s.settings)
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	before := *s
	s.settings = settings
	s.apps, s.repos = slices.Clone(s.apps), maps.Clone(s.repos)
	s.orgs = append(s.orgs, sc.Orgs...)
	s.users = append(s.users, sc.Users...)
	for _, r := range sc.Repositories {
		branches := map[string]Head{}
		for name, head := range r.Branches {
			head.Spicepod, _ = manifest(head.Spicepod) // validated before
			branches[name] = head
		}
		r.Branches = branches
		s.repos[strings.ToLower(r.Name)] = r
	}
	for i, spec := range sc.Apps {
		if _, err := s.addApp(spec, now); err != nil {
			*s = before
			return fmt.Errorf("apps[%d]: %w", i, err)
		}
	}
	s.outcomes = append(s.outcomes, sc.Outcomes...)
	if sc.Runtime != nil {
		s.runtime = sc.Runtime
	}
	for _, f := range sc.Faults {
		s.faults = append(s.faults, &armedFault{Fault: f})
	}
	return nil
}

func (s *state) addApp(spec App, now time.Time) (*app, error) {
	org := cmp.Or(spec.Org, s.opts.Org)
	if s.appByName(org, spec.Name) != nil {
		return nil, fmt.Errorf("name: %q is taken", spec.Name)
	}
	if slices.ContainsFunc(s.apps, func(a *app) bool { return a.id == spec.ID }) {
		return nil, fmt.Errorf("id: %d is taken", spec.ID)
	}
	a := s.newApp(org, spec.Name, now.Add(-24*time.Hour))
	a.id, a.description, a.productionBranch = spec.ID, spec.Description, spec.ProductionBranch
	a.visibility = cmp.Or(spec.Visibility, a.visibility)
	a.updateChannel = cmp.Or(spec.UpdateChannel, a.updateChannel)
	a.replicas = cmp.Or(spec.Replicas, a.replicas)
	a.imageTag, a.tags, a.paused, a.runtime = spec.ImageTag, maps.Clone(spec.Tags), spec.Paused, spec.Runtime
	if !spec.Standalone {
		a.region = cmp.Or(spec.Region, regions[0].Region)
	}
	spicepod, err := manifest(spec.Spicepod)
	if err != nil {
		return nil, fmt.Errorf("spicepod: %w", err)
	}
	a.spicepod = spicepod
	if spec.Repository != "" {
		repo, ok := s.repos[strings.ToLower(spec.Repository)]
		if !ok {
			return nil, fmt.Errorf("repository: %q is not among the repositories", spec.Repository)
		}
		a.repository, a.rootDirectory = repo.Name, "/"
		a.productionBranch = cmp.Or(a.productionBranch, repo.DefaultBranch, "main")
	}
	s.adopt(a)
	if spec.NoPrimaryKey {
		a.keys[0] = ""
	}
	for name, value := range spec.Secrets {
		s.storeSecret(a, name, value, a.created)
	}
	for _, d := range spec.Deployments {
		s.addDeployment(a, d, now)
	}
	if a.paused {
		a.pausedAt = now
	}
	return a, nil
}

func (s *state) addDeployment(a *app, spec Deployment, now time.Time) *deployment {
	d := &deployment{
		actor: cmp.Or(spec.Actor, "somebody-else"), source: cmp.Or(spec.Source, "api"), outcome: spec.Outcome,
		channel: a.updateChannel, imageTag: a.imageTag, replicas: a.replicas,
		branch: spec.Branch, sha: spec.CommitSHA, message: spec.CommitMessage,
	}
	s.start(a, d, now.Add(-spec.Age))
	if spec.Spicepod != nil {
		d.spicepod, _ = manifest(spec.Spicepod) // validated before
	}
	return d
}
