package secretsync

import (
	"cmp"
	"slices"
	"strings"
)

// Action is what happens, or happened, to one secret.
type Action string

// What a plan says.
const (
	Create   Action = "create"
	Update   Action = "update" // values cannot be read back, so one that may be the same is written again
	Delete   Action = "delete"
	Kept     Action = "kept"     // the app has it and it stays as it is
	Excluded Action = "excluded" // a glob of secrets-exclude says so
)

// What became of it.
const (
	Created    Action = "created"
	Updated    Action = "updated"
	Deleted    Action = "deleted"
	Unknown    Action = "unknown"     // the request went out and its answer did not come
	NotWritten Action = "not-written" // refused, or not tried
)

// Outcome is one secret's name and what happens to it.
type Outcome struct {
	Name   string
	Action Action
	Err    error // why it was not written or deleted, nil where that follows from others
}

// Plan says what a run does to each secret that is given or in the app, sorted by name. With prune it deletes
// what was not given; but never what is excluded, nor what the spicepod refers to, nor anything at all when
// nothing is given: the sources may have been empty by mistake. Case does not count in any of these.
func Plan(set Set, existing []string, prune bool, referenced []string) []Outcome {
	var outcomes []Outcome
	planned := map[string]bool{}
	plan := func(name string, action Action) {
		if !planned[name] {
			planned[name] = true
			outcomes = append(outcomes, Outcome{Name: name, Action: action})
		}
	}
	needed := upper(referenced)
	for _, name := range referenced {
		needed[prefixed(strings.ToUpper(name))] = true
	}
	has := setOf(existing)
	for _, secret := range set.Secrets {
		needed[strings.ToUpper(secret.Name)] = true
		if has[secret.Name] {
			plan(secret.Name, Update)
		} else {
			plan(secret.Name, Create)
		}
	}
	for _, name := range set.Excluded {
		plan(name, Excluded)
	}
	for _, name := range existing {
		switch {
		case matchesAny(set.Exclude, name):
			plan(name, Excluded)
		case prune && len(set.Secrets) > 0 && !needed[strings.ToUpper(name)]:
			plan(name, Delete)
		default:
			plan(name, Kept)
		}
	}
	slices.SortFunc(outcomes, func(a, b Outcome) int { return cmp.Compare(a.Name, b.Name) })
	return outcomes
}

// MissingSecret is a secret that the spicepod refers to and the runtime will not find.
type MissingSecret struct {
	Name string // in upper case, as the runtime looks it up
	// StoredAs is a name that is given or in the app and differs only in case, which the runtime does not find.
	StoredAs string
}

// Missing returns what is referred to and neither given nor in the app, each once, sorted. Spice documents that
// the runtime upper-cases the key of ${ secrets:key } before it looks, so pg_pass needs a secret PG_PASS, or
// SPICE_PG_PASS, which it tries first.
func Missing(references []string, set Set, existing []string) []MissingSecret {
	stored := slices.Clone(existing)
	for _, secret := range set.Secrets {
		stored = append(stored, secret.Name)
	}
	found := map[string]string{} // by upper-case name; the exact one wins
	for _, name := range stored {
		if key := strings.ToUpper(name); found[key] != key {
			found[key] = name
		}
	}
	var missing []MissingSecret
	for name := range upper(references) {
		if found[name] != name && found[prefixed(name)] != prefixed(name) {
			missing = append(missing, MissingSecret{Name: name, StoredAs: found[name]})
		}
	}
	slices.SortFunc(missing, func(a, b MissingSecret) int { return cmp.Compare(a.Name, b.Name) })
	return missing
}

// prefixed is the other name under which the runtime's store of environment variables looks for a key
// (spiceai/spiceai, crates/runtime-secrets/src/stores/env.rs).
func prefixed(name string) string { return "SPICE_" + name }

func upper(names []string) map[string]bool {
	out := make(map[string]bool, len(names))
	for _, name := range names {
		out[strings.ToUpper(name)] = true
	}
	return out
}

func setOf(names []string) map[string]bool {
	out := make(map[string]bool, len(names))
	for _, name := range names {
		out[name] = true
	}
	return out
}
