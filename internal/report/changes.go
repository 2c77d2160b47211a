package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/diag"
)

// What is shown at once. The rest is folded away, and what is more than anybody reads is counted.
const (
	openChanges   = 12
	foldedChanges = 200
	openLines     = 40
	mostOfNames   = 500
	mostOfDiff    = 128 << 10 // bytes
)

// spicepodSection shows how the spicepod changes, in words and in lines.
func spicepodSection(b *page, r deploy.Result) {
	p := r.Plan
	if p == nil || p.Spicepod.Empty() {
		return
	}
	title := "Spicepod: what would change"
	if r.SpicepodSent {
		title = "Spicepod: what changed"
	}
	fmt.Fprintf(b, "### %s\n\n", title)
	changes := p.Spicepod.Changes
	for _, change := range changes[:min(len(changes), openChanges)] {
		fmt.Fprintf(b, "- %s\n", b.sentence(change.Kind, change.Name, change.Path, change.What))
	}
	b.WriteString("\n")
	if more := len(changes) - openChanges; more > 0 {
		var rest strings.Builder
		for _, change := range changes[openChanges:min(len(changes), openChanges+foldedChanges)] {
			fmt.Fprintf(&rest, "- %s\n", b.sentence(change.Kind, change.Name, change.Path, change.What))
		}
		if more > foldedChanges {
			fmt.Fprintf(&rest, "- and %d more\n", more-foldedChanges)
		}
		b.details(fmt.Sprintf("%d more", more), rest.String(), false)
	}
	lines := cut(b.cover(p.Spicepod.Unified), mostOfDiff)
	b.details("Difference", b.fenced("diff", lines)+"\n", strings.Count(lines, "\n") <= openLines)
}

// sentences is the changes of the spicepod in words, without markup.
func sentences(p *deploy.Plan) []string {
	list := make([]string, len(p.Spicepod.Changes))
	for i, change := range p.Spicepod.Changes {
		list[i] = change.String()
	}
	return list
}

// sentence is one change of a manifest, its names as code: dataset `orders`: `acceleration.engine` arrow → duckdb.
func (p *page) sentence(kind, name, path, what string) string {
	component := strings.TrimSpace(p.text(kind) + " " + p.code(name))
	if component != "" && path != "" {
		component += ":"
	}
	words := slices.DeleteFunc([]string{component, p.code(path), p.text(what)}, func(s string) bool { return s == "" })
	return strings.Join(words, " ")
}

// actions is what happens to secrets, in the order in which it matters, and what a report calls it.
var actions = []struct{ action, words string }{
	{"not-written", "not written"},
	{"unknown", "unknown, the answer did not come"},
	{"delete", "to delete"},
	{"deleted", "deleted"},
	{"create", "to create"},
	{"created", "created"},
	{"update", "to write again"},
	{"updated", "written again"},
	{"kept", "kept"},
	{"excluded", "excluded"},
}

// secretsSection shows what happens to each secret, by name.
func secretsSection(b *page, r deploy.Result) {
	list := &page{cover: b.cover}
	if p := r.Plan; p != nil && (r.Result == diag.Planned || r.Result == diag.InvalidInput) {
		var names []string
		for _, m := range p.MissingSecrets {
			names = append(names, m.Name)
		}
		list.named("❌ %d missing", names)
	}
	for _, a := range actions {
		var names []string
		for _, s := range r.Secrets {
			if string(s.Action) == a.action {
				names = append(names, s.Name)
			}
		}
		list.named("%d "+a.words, names)
	}
	if list.Len() == 0 {
		return
	}
	fmt.Fprintf(b, "### Secrets\n\n%s\n", list)
	refused(b, r)
}

// named is an entry of a list: how many there are of what, and their names.
func (p *page) named(what string, names []string) {
	if len(names) > 0 {
		fmt.Fprintf(p, "- "+what+": %s\n", len(names), p.codes(names))
	}
}

// refused says why secrets were not written.
func refused(b *page, r deploy.Result) {
	said := 0
	for _, s := range r.Secrets {
		if s.Err == nil {
			continue
		}
		if said++; said == 1 {
			b.WriteString("Why not all were written:\n\n")
		}
		if said <= openChanges {
			fmt.Fprintf(b, "- %s: %s\n", b.code(s.Name), b.text(cut(b.cover(s.Err.Error()), mostOfReason)))
		}
	}
	if said > openChanges {
		fmt.Fprintf(b, "- and %d more: see the log of the run\n", said-openChanges)
	}
	if said > 0 {
		b.WriteString("\n")
	}
}

// codes is a list of names, as many as can be read.
func (p *page) codes(names []string) string {
	var list []string
	for i, name := range names {
		if i == mostOfNames {
			list = append(list, fmt.Sprintf("and %d more", len(names)-i))
			break
		}
		list = append(list, p.code(name))
	}
	return strings.Join(list, ", ")
}
