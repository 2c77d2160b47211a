// Package secretsync brings secrets from CI variables and files to an app on Spice Cloud.
//
// [Collect] reads every source, checks everything and returns all problems at once, so that nothing is sent while
// anything is wrong. [Plan] says what would happen, by name; [Write] and [Prune] do it in parallel and, when some
// requests fail, say what became of each name; [Missing] compares with what the spicepod refers to.
//
// CI systems paste values into the text before it is read, so any line may be a piece of a value: no message of
// this package repeats a text that could be one. The package reads no file and no environment by itself, prints
// nothing, and never guesses what a malformed line meant.
package secretsync

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/redact"
)

// The sources by the option that names them; [Secret.Source] is one of these.
const (
	fromBlock   = "secrets"
	fromEnv     = "secrets-from-env"
	fromFile    = "secrets-file"
	excludeWord = "secrets-exclude"
)

// Sources is everything that secrets can come from. Empty fields are sources that were not given.
type Sources struct {
	Block    redact.Secret // the text of secrets
	FromEnv  string        // the list of secrets-from-env
	File     []byte        // what secrets-file holds
	FileName string        // as the user wrote it; its ending decides how File is read
	Exclude  []string      // globs, matched without regard to case
	Environ  []string      // NAME=VALUE, as os.Environ returns it

	// Credentials of this run; a secret with the value of one is left out.
	Credentials []redact.Secret
	// EmptyIsWarning makes warnings of values that are empty and variables that are not set, for runs that CI
	// gives no secrets.
	EmptyIsWarning bool
}

// Secret is one secret to be written.
type Secret struct {
	Name   string
	Value  redact.Secret
	Source string // "secrets", "secrets-from-env" or "secrets-file"
}

// Set is what the sources hold.
type Set struct {
	Secrets  []Secret // sorted by name
	Excluded []string // names that were given and are left out because a glob says so, sorted
	Exclude  []string // the globs, for what the app has
	Notices  []string // what the log should say
	Warnings []string // what the user should look at
}

// Collect reads and checks all sources. The error is a [diag.Problems] with everything that is wrong; the set
// then holds what could be read, so that its values can be masked before the problems are printed.
func Collect(from Sources) (Set, error) {
	c := &collector{
		emptyIsWarning: from.EmptyIsWarning,
		seen:           map[string]entry{},
		excluded:       map[string]bool{},
	}
	c.readExclude(from.Exclude)
	if block := from.Block.Reveal(); block != "" {
		c.readBlock(block)
	}
	if from.FromEnv != "" {
		c.readFromEnv(from.FromEnv, from.Environ)
	}
	if from.FileName != "" {
		c.readFile(from.FileName, from.File)
	}
	c.leaveOutCredentials(from.Credentials)
	c.warnOfShort()
	c.noteUnusedGlobs()
	return c.set(), c.problems.Err()
}

// entry is one secret as a source gives it.
type entry struct {
	name, value string
	at          place
	quoted      bool // an empty value is meant, since it was written as ""
}

// place is where something stands in a source.
type place struct {
	option string
	file   string // the file's name, "" outside of files
	line   int    // from 1, 0 where unknown
	item   int    // in a list: which one, from 1
	after  string // the last good name before it, "" where there is none or the name itself can be said
}

// collector gathers what the sources hold and what is wrong with them.
type collector struct {
	emptyIsWarning bool
	globs          []glob
	entries        []entry
	seen           map[string]entry // by upper-case name
	excluded       map[string]bool
	problems       diag.Problems
	notices        []string
	warnings       []string
}

// add takes a secret with a good name, unless it is excluded, and reports what is wrong with it. It returns
// whether nothing was.
func (c *collector) add(e entry) bool {
	if c.isExcluded(e.name) {
		return true
	}
	if first, twice := c.seen[strings.ToUpper(e.name)]; twice {
		c.reportTwice(first, e)
		return false
	}
	c.seen[strings.ToUpper(e.name)] = e
	if e.value == "" && !e.quoted {
		c.reportEmpty(e.at, e.name+" has an empty value")
		return false
	}
	if fault := unsendable(e); fault != "" {
		c.report(e.at, e.name+" "+fault, "")
		return false
	}
	c.entries = append(c.entries, e)
	return true
}

// reportTwice names both places: with several sources the user has to know which one to change.
func (c *collector) reportTwice(first, second entry) {
	places := first.at.String() + " and " + second.at.String()
	message := second.name + " is given twice: " + places
	if first.name != second.name {
		message = first.name + " and " + second.name + " differ only in case, and the runtime looks names up in upper case: " + places
	}
	c.report(second.at, message, "keep one of them")
}

// reportEmpty reports an empty value: an unset CI secret pastes as nothing, and what the app has would be lost.
func (c *collector) reportEmpty(at place, message string) {
	if c.emptyIsWarning {
		c.warnings = append(c.warnings, at.String()+": "+message+"; it is left out")
		return
	}
	hint := "is the CI secret behind it set, and visible to this job? To set an empty value on purpose, write KEY=\"\""
	if at.option == fromEnv {
		hint = "is the CI secret behind it set, and passed to this step under env?"
	}
	c.report(at, message, hint)
}

// report adds a problem. Whoever calls it answers for message holding no text that could be a value.
func (c *collector) report(at place, message, hint string) {
	if prefix := at.within(); prefix != "" {
		message = prefix + ": " + message
	}
	c.problems = append(c.problems, diag.Problem{
		Option: at.option, Message: message, Hint: hint, File: at.file, Line: at.line,
	})
}

func (c *collector) set() Set {
	slices.SortFunc(c.entries, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	set := Set{Notices: c.notices, Warnings: c.warnings}
	for _, e := range c.entries {
		set.Secrets = append(set.Secrets, Secret{Name: e.name, Value: redact.New(e.value), Source: e.at.option})
	}
	for name := range c.excluded {
		set.Excluded = append(set.Excluded, name)
	}
	slices.Sort(set.Excluded)
	for _, g := range c.globs {
		set.Exclude = append(set.Exclude, g.pattern)
	}
	return set
}
