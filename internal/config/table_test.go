package config

import (
	"slices"
	"testing"
)

func TestTable(t *testing.T) {
	t.Parallel()
	rows := table(&Options{})
	names := allNames(rows)
	slices.Sort(names)
	if unique := slices.Compact(slices.Clone(names)); len(unique) != len(names) {
		t.Errorf("a name is used twice in %q", names)
	}
	var commandNames []string
	for _, v := range verbs() {
		commandNames = append(commandNames, v.name)
	}
	for _, opt := range rows {
		if opt.meaning == "" || opt.group == "" || (opt.arg == "" && !opt.isBool) {
			t.Errorf("%s lacks a meaning, a group or a placeholder", opt.name)
		}
		for _, command := range opt.commands {
			if !slices.Contains(commandNames, command) {
				t.Errorf("%s belongs to the unknown command %q", opt.name, command)
			}
		}
		if opt.def == "" {
			continue
		}
		if err := opt.set(opt.def); err != nil {
			t.Errorf("%s: the default %q is refused: %s", opt.name, opt.def, err)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	candidates := []string{"org", "tags", "app-name", "spicepod", "secrets", "secrets-file"}
	cases := []struct{ word, want string }{
		{"app-name", "app-name"},
		{"app_name", "app-name"},
		{"ap-nmae", "app-name"},
		{"app-nmae", "app-name"},
		{"spicepd", "spicepod"},
		{"spicepoddd", "spicepod"},
		{"secrest", "secrets"},
		{"secret-file", "secrets-file"},
		{"tag", "tags"},
		{"ogr", "org"},
		{"url", ""}, // two edits from org, of which one letter would be left
		{"app-nnnnn", ""},
		{"", ""},
	}
	for _, tc := range cases {
		t.Run(tc.word, func(t *testing.T) {
			t.Parallel()
			if got, _ := nearest(tc.word, candidates); got != tc.want {
				t.Errorf("expected %q to be %q", got, tc.want)
			}
		})
	}
}
