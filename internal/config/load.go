package config

import (
	"io"
	"strings"
)

// Env is what surrounds the process. Stdin and ReadFile are used for secret flags only.
type Env struct {
	Environ  []string                          // KEY=VALUE, as os.Environ gives it
	Stdin    io.Reader                         // for - of a secret flag
	ReadFile func(name string) ([]byte, error) // for @FILE of a secret flag
}

// Load reads the options of a command from its arguments (those behind the command's name) and the
// environment.
//
// The error is a diag.Problems with everything that is wrong, or [flag.ErrHelp] where help was asked for. With
// problems the options are returned all the same, as far as they could be read: secrets are to be masked and
// results to be written in that case too. Missing credentials are no problem here, see [Credentials].
func Load(command string, args []string, env Env) (*Options, error) {
	o := &Options{Command: command}
	rows := table(o)
	l := newLookup(env)
	if err := l.checkCommand(command); err != nil {
		return o, err
	}
	if err := l.parseFlags(command, rows, args); err != nil {
		return o, err
	}
	taken := optionsOf(command, rows)
	if len(taken) > 0 {
		l.checkPlugin(rows)
	}
	found := make(map[string]given, len(taken))
	for _, opt := range taken {
		if g, ok := l.find(opt); ok {
			found[opt.name] = g
			l.assign(opt, g)
		} else if opt.def != "" {
			l.assign(opt, given{value: opt.def})
		}
	}
	l.applyRules(o, taken, found)
	o.Notices = l.notices
	return o, l.problems.Err()
}

func (l *lookup) checkCommand(name string) error {
	var names []string
	for _, v := range verbs() {
		if v.name == name {
			return nil
		}
		names = append(names, v.name)
	}
	hint := "expected one of " + strings.Join(names, ", ")
	if near, ok := nearest(name, names); ok {
		hint = "did you mean " + near + "?"
	}
	l.problem("", "there is no command %s; %s", quote(name), hint)
	return l.problems.Err()
}

// assign parses a value into its field.
func (l *lookup) assign(opt option, g given) {
	err := opt.set(g.value)
	if err == nil {
		return
	}
	wrong := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		wrong = joined.Unwrap()
	}
	for _, err := range wrong {
		l.problem(opt.name, "%s%s", err, from(g))
	}
}

// from names the variable where the user may not know that it is set: one that is not an input of the step.
func from(g given) string {
	if g.level == spiceLevel || g.level == ecosystemLevel {
		return " (from " + g.source + ")"
	}
	return ""
}
