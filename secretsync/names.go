package secretsync

import (
	"regexp"
	"strings"
)

var (
	// The rule that Spice Cloud documents for names of secrets.
	validName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	// What was meant as a name, in places where a value cannot stand.
	almostName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)
)

const nameRule = "a name begins with a letter or _ and has only letters, digits and _"

// showable tells whether a word that may be a piece of a pasted value is so plainly the name of a variable that
// it can be shown. Base64 has no _ and mixes cases; base32 and key ids mix digits in.
func showable(word string) bool {
	if !validName.MatchString(word) || word != strings.ToUpper(word) {
		return false
	}
	return strings.Contains(word, "_") || !strings.ContainsAny(word, "0123456789")
}

// nameFault says what is wrong with a name from a place where a value cannot stand, such as a key of a JSON
// object, and suggests a good one.
func nameFault(name string) (message, hint string) {
	if !almostName.MatchString(name) {
		return "a name is not valid", nameRule
	}
	suggestion := strings.NewReplacer("-", "_", ".", "_").Replace(name)
	if !validName.MatchString(suggestion) {
		suggestion = "_" + suggestion
	}
	return name + " is not a valid name", nameRule + ": write " + suggestion
}

// lineNameFault does the same for a name from a line, which is not repeated.
func lineNameFault(name string) (message, hint string) {
	switch {
	case strings.HasPrefix(name, "export "):
		return "the line begins with export", "write KEY=VALUE without it"
	case almostName.MatchString(name) && strings.Contains(name, "-"):
		return "the name is not valid: it has a dash", nameRule + ": write _ instead of -"
	default:
		return "the name is not valid", nameRule
	}
}

// isJobToken tells whether a name is that of the CI system's own token. It ends with the job, and GitHub puts it
// into every toJSON(secrets), so nobody means to send it.
func isJobToken(name string) bool { return name == "github_token" }
