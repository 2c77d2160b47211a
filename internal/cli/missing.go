package cli

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/ci"
	"github.com/spicedeploy/spice-deploy/internal/spicepod"
	"github.com/spicedeploy/spice-deploy/secretsync"
)

// mostPlaces is how many annotations of one level GitHub shows for a step
// (https://github.com/orgs/community/discussions/26680).
const mostPlaces = 10

// pointAtMissing annotates the lines of the spicepod that need a secret which is missing, where the run has said that
// some are. It tells whether every such line is annotated, so that saying it once more without a place is too much.
func (c *command) pointAtMissing(in *inputs, result deploy.Result) bool {
	level, end := ci.Warning, "unless an organization secret of that name is linked to the app, the new version will not become ready"
	switch {
	case result.Plan == nil || in.manifest == nil:
		return false
	case saysMissing(result.Reason):
		level, end = ci.Error, "nothing was changed\nWhat to do: "+result.Hint
	case !slices.ContainsFunc(result.Warnings, saysMissing):
		return false
	}
	file := filepath.ToSlash(filepath.Join(c.options.WorkingDirectory, c.options.Spicepod))
	places := needing(in.manifest.References(), result.Plan.MissingSecrets)
	for _, p := range places[:min(len(places), mostPlaces)] {
		message := fmt.Sprintf("the secret %s is neither given nor in the app", p.secret.Name)
		if p.secret.StoredAs != "" {
			message += fmt.Sprintf(" (there is %s, but the runtime looks for upper case)", p.secret.StoredAs)
		}
		c.host.Annotate(ci.Annotation{
			Level: level, Title: "spice-deploy: missing secret", Message: c.clean(message + "; " + end),
			File: file, Line: p.Line, Column: p.Column,
		})
	}
	return len(places) > 0 && len(places) <= mostPlaces
}

func saysMissing(text string) bool { return strings.HasPrefix(text, deploy.SecretsAreMissing) }

// need is a place of a spicepod that refers to a secret which is missing.
type need struct {
	spicepod.Reference

	secret secretsync.MissingSecret
}

// needing is those places, in the order of the file, one for each line and secret.
func needing(references []spicepod.Reference, missing []secretsync.MissingSecret) []need {
	var places []need
	for _, ref := range references {
		if !ref.Managed || ref.Elsewhere || ref.Line == 0 {
			continue
		}
		i := slices.IndexFunc(missing, func(m secretsync.MissingSecret) bool { return m.Name == strings.ToUpper(ref.Key) })
		if i < 0 || slices.ContainsFunc(places, func(p need) bool { return p.Line == ref.Line && p.secret == missing[i] }) {
			continue
		}
		places = append(places, need{ref, missing[i]})
	}
	return places
}
