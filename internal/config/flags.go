package config

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// flagValue hands the text of a flag on. It never fails, so that one wrong flag hides no other.
type flagValue struct {
	isBool bool
	set    func(string)
}

func (v flagValue) String() string { return "" }

func (v flagValue) Set(s string) error {
	v.set(s)
	return nil
}

// IsBoolFlag tells the flag package that the flag needs no value.
func (v flagValue) IsBoolFlag() bool { return v.isBool }

var _ flag.Value = flagValue{}

// parseFlags reads the command line. Its one error is [flag.ErrHelp].
func (l *lookup) parseFlags(command string, rows []option, args []string) error {
	set := flag.NewFlagSet(command, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	taken := optionsOf(command, rows)
	for _, opt := range taken {
		for _, name := range opt.names() {
			set.Var(flagValue{opt.isBool, func(s string) { l.takeFlag(opt, name, s, taken) }}, name, "")
		}
	}
	l.addStrays(set, rows, taken, args)

	for rest := args; ; rest = rest[1:] {
		err := set.Parse(rest)
		rest = set.Args()
		switch at := len(args) - len(rest) + 1; {
		case errors.Is(err, flag.ErrHelp):
			return err
		case err != nil && len(rest) == 0:
			name := strings.TrimLeft(args[len(args)-1], "-")
			l.problem(name, "the flag needs a value: --%s VALUE", name)
		case err != nil:
			l.problem("", "argument %d is not a well-formed option; options are written --name VALUE or --name=VALUE", at)
		case len(rest) > 0:
			// What it says is left out: it may be the second word of a secret.
			l.problem("", "argument %d belongs to no option; options are written --name VALUE or --name=VALUE, "+
				"those that are true or false only --name=false", at)
		}
		if len(rest) == 0 {
			return nil
		}
	}
}

// addStrays defines the flags that no option has, so that they are reported and the others still read.
func (l *lookup) addStrays(set *flag.FlagSet, rows, taken []option, args []string) {
	for i, arg := range args {
		name, hasValue := flagName(arg)
		if name == "" || name == "h" || name == "help" || set.Lookup(name) != nil {
			continue
		}
		// What follows is probably its value, and is not looked at.
		takesNext := !hasValue && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-")
		set.Var(flagValue{!takesNext, func(string) { l.reportStray(set.Name(), name, rows, taken) }}, name, "")
	}
}

func (l *lookup) reportStray(command, name string, rows, taken []option) {
	if slices.Contains(allNames(rows), name) {
		l.problem(name, "not an option of the command %s", command)
		return
	}
	hint := "; see spice-deploy " + command + " --help"
	if near, ok := nearest(name, allNames(taken)); ok {
		hint = "; did you mean --" + near + "?"
	}
	l.problem("", "there is no option %s%s", quote("--"+name), hint)
}

// flagName is the name in an argument that the flag package takes for a flag, else "".
func flagName(arg string) (name string, hasValue bool) {
	rest, isFlag := strings.CutPrefix(arg, "-")
	rest = strings.TrimPrefix(rest, "-")
	name, _, hasValue = strings.Cut(rest, "=")
	if !isFlag || strings.HasPrefix(name, "-") {
		return "", false
	}
	return name, hasValue
}

// takeFlag keeps the text of a flag.
func (l *lookup) takeFlag(opt option, name, text string, taken []option) {
	// "--branch $BRANCH --dry-run" with an empty variable must not become a branch and a real deployment.
	if next, _ := flagName(text); strings.HasPrefix(text, "--") && slices.Contains(allNames(taken), next) {
		l.problem(opt.name, "expected a value, got the option --%s; was a variable empty?", next)
		return
	}
	if opt.secret && text != "" {
		var err error
		if text, err = l.readSecret(opt, text); err != nil {
			l.problem(opt.name, "%s", err)
			return
		}
	}
	if before, twice := l.flags[name]; twice && before != text {
		// The values are left out, as one may be a secret or an address with a password.
		l.problem(opt.name, "the flag --%s is given twice, with different values; remove one", name)
		return
	}
	l.flags[name] = text
}

// maxStdin limits what is read from standard input, in bytes: far more than Spice Cloud takes in a request.
const maxStdin = 8 << 20

// readSecret gets a secret from where a flag says it is. The value itself is refused: other users of the
// machine can read a command line, and CI systems print it.
func (l *lookup) readSecret(opt option, text string) (string, error) {
	if name, isFile := strings.CutPrefix(text, "@"); isFile {
		data, err := l.env.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("read the file of --%s: %w", opt.name, err)
		}
		return string(data), nil
	}
	if text != "-" {
		return "", fmt.Errorf("the flag takes @FILE or - for standard input, never the value itself; "+
			"or set SPICE_%s", strings.ReplaceAll(strings.ToUpper(opt.name), "-", "_"))
	}
	if l.stdin != "" {
		return "", fmt.Errorf("standard input is already read for --%s; give one of them as @FILE", l.stdin)
	}
	l.stdin = opt.name
	data, err := io.ReadAll(io.LimitReader(l.env.Stdin, maxStdin+1))
	if err != nil {
		return "", fmt.Errorf("read standard input for --%s: %w", opt.name, err)
	}
	if len(data) > maxStdin {
		return "", fmt.Errorf("standard input for --%s is larger than %d MiB", opt.name, maxStdin>>20)
	}
	return string(data), nil
}

// allNames are the names and aliases of rows.
func allNames(rows []option) []string {
	var names []string
	for _, opt := range rows {
		names = append(names, opt.names()...)
	}
	return names
}
