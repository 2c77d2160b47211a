package cli

import (
	"slices"
	"strings"
	"sync"

	"github.com/spicedeploy/spice-deploy/internal/config"
	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/secretsync"
)

// vocabulary is the words that the tool itself writes where programs read them: results, states, the names in its
// outputs, true and false. A secret with such a value (DEBUG=false) hides nothing by being covered, but would make
// an output such as adopted unreadable, and GitHub drops an output that holds a masked word.
var vocabulary = sync.OnceValue(func() []string {
	words := []string{
		"true", "false", "null",
		"queued", "in_progress", "succeeded", "failed", "created", // states of a deployment
		"name", "action", "changes", "spicepod", "spicepod_diff", "tags", "missing_secrets", "request", "conflict", "status",
		"branch", "commit_sha", "commit_message", "image_tag", "channel", "replicas", "debug", "region", "create",
		"deployment", "plan", "update", "connect", "commit", "network", "waiting", "results", "inputs", "what to do", "warning",
		"spice-deploy",
	}
	for _, remedy := range diag.Remedies() {
		words = append(words, string(remedy.Result))
	}
	words = append(words, string(diag.Submitted), string(diag.Planned), string(diag.Skipped), string(diag.Cancelled))
	for _, action := range []secretsync.Action{
		secretsync.Create, secretsync.Update, secretsync.Delete, secretsync.Kept, secretsync.Excluded,
		secretsync.Created, secretsync.Updated, secretsync.Deleted, secretsync.Unknown, secretsync.NotWritten,
	} {
		words = append(words, string(action))
	}
	for _, output := range config.Outputs() {
		words = append(words, output.Name, strings.ToUpper(strings.ReplaceAll(output.Name, "-", "_")))
	}
	slices.Sort(words)
	return slices.Compact(words)
})

// everyday tells whether a secret is one of the tool's own words.
func everyday(s redact.Secret) bool {
	_, found := slices.BinarySearch(vocabulary(), strings.TrimSpace(s.Reveal()))
	return found
}
