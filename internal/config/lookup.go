package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spicedeploy/spice-deploy/internal/diag"
)

// level is where a value comes from; the first level that has one wins.
type level int

const (
	flagLevel      level = iota
	inputLevel           // what GitHub's runner makes of the inputs of an action
	pluginLevel          // what Drone, Harness, Woodpecker and Buildkite make of the settings of a plugin
	spiceLevel           // our own names
	ecosystemLevel       // the names that the Spice CLI and other tools read
	levels
)

// given is a value that the user gave.
type given struct {
	value  string
	level  level
	source string // the flag or variable it came from
}

// lookup finds values and collects what is wrong with the way they are given.
type lookup struct {
	env      Env
	vars     map[string]string
	flags    map[string]string // by the name that was used, which may be an alias
	stdin    string            // the option that has read standard input, "" where none has
	problems diag.Problems
	notices  []string
}

func newLookup(env Env) *lookup {
	vars := make(map[string]string, len(env.Environ))
	for _, pair := range env.Environ {
		key, value, _ := strings.Cut(pair, "=")
		if _, twice := vars[key]; !twice { // as the os package reads it: the first one counts
			vars[key] = value
		}
	}
	adaptToCI(vars)
	return &lookup{env: env, vars: vars, flags: map[string]string{}}
}

func (l *lookup) problem(option, format string, args ...any) {
	l.problems = append(l.problems, diag.Problem{Option: option, Message: fmt.Sprintf(format, args...)})
}

// reported tells whether something wrong with an option has been found before.
func (l *lookup) reported(option string) bool {
	return slices.ContainsFunc(l.problems, func(p diag.Problem) bool { return p.Option == option })
}

func (l *lookup) notice(format string, args ...any) {
	l.notices = append(l.notices, fmt.Sprintf(format, args...))
}

// find is the value of an option from the first level that has one.
func (l *lookup) find(opt option) (given, bool) {
	for at := range levels {
		if g, ok := l.findAt(opt, at); ok {
			return g, true
		}
	}
	return given{}, false
}

// findAt is the value from one level. There, name and aliases mean the same, so they must not differ.
func (l *lookup) findAt(opt option, at level) (given, bool) {
	var found given
	for _, name := range opt.names() {
		g := l.read(opt, name, at)
		switch {
		case g.value == "":
		case found.value == "":
			found = g
		case g.value != found.value:
			l.problem(opt.name, "%s and %s are the same option and differ: %s and %s; remove one",
				found.source, g.source, quote(found.value), quote(g.value))
		}
	}
	return found, found.value != ""
}

// read tries the spellings of a name at a level. An empty value is no value: runners pass every input that
// a workflow leaves out as an empty string.
func (l *lookup) read(opt option, name string, at level) given {
	if at == flagLevel {
		return given{clean(opt, l.flags[name]), at, "--" + name}
	}
	for _, variable := range variables(opt, name, at) {
		if value := clean(opt, l.plain(opt, variable, at)); value != "" {
			return given{value, at, variable}
		}
	}
	return given{}
}

// clean removes outer blanks, as GitHub's toolkit does for every input of an action; a value of blanks alone
// is none.
func clean(opt option, value string) string {
	if trimmed := strings.TrimSpace(value); trimmed == "" || !opt.raw {
		return trimmed
	}
	return value
}

// variables are the environment names of an option's name at a level. GitHub's runner keeps the dashes of an
// input's name (its source: Handler.cs), which a shell cannot set; so both spellings count.
func variables(opt option, name string, at level) []string {
	upper := strings.ToUpper(name)
	plain := strings.ReplaceAll(upper, "-", "_")
	switch at {
	case inputLevel:
		return []string{"INPUT_" + upper, "INPUT_" + plain}
	case pluginLevel:
		return []string{buildkitePrefix + plain, "PLUGIN_" + plain}
	case spiceLevel:
		return []string{"SPICE_" + plain}
	case ecosystemLevel:
		if name == opt.name {
			return opt.env
		}
	}
	return nil
}
