package config

import "slices"

// option is a row of the table.
type option struct {
	name    string
	aliases []string // other names, at every level that the name itself is read from
	env     []string // environment names that users of Spice Cloud already have, read last
	group   string   // heading in the help and the README
	kind
	def      string // the default as a user would write it, "" where there is none
	shown    string // what the documentation says in place of def
	meaning  string // one line; `backticks` mark names and are dropped in the help
	commands []string
	vendor   bool // the vendor's GitHub Action has it too
	raw      bool // outer blanks and line ends are part of the value
}

// kind is how the value of an option is written: what the help calls it and how it gets into its field.
type kind struct {
	arg    string   // placeholder in the help
	words  []string // all values there are, nil where they cannot be listed
	isBool bool     // as a flag it needs no value
	secret bool     // as a flag it takes @FILE or -, and no message repeats it
	set    func(string) error
}

// names are the name and the aliases, in the order they are looked up.
func (opt option) names() []string { return append([]string{opt.name}, opt.aliases...) }

// verb is a command and its line in the help.
type verb struct{ name, meaning string }

func verbs() []verb {
	return []verb{
		{"deploy", "deploys the app and follows the deployment to its end; the default command"},
		{"plan", "reads everything, writes nothing and prints what deploy would change"},
		{"verify", "checks the runtime of a deployed app: readiness, datasets, probes"},
		{"delete", "deletes an app by name or id, for previews of pull requests; asks for --yes"},
		{"emulator", "serves a local Spice Cloud until stopped, for rehearsals without an account"},
		{"version", "prints version, commit, Go version and platform"},
	}
}

// table is every option of every command, each bound to its field of o.
func table(o *Options) []option {
	return slices.Concat(
		credentialOptions(o),
		serviceOptions(o),
		appOptions(o),
		deploymentOptions(o),
		secretOptions(o),
		behaviourOptions(o),
		verificationOptions(o),
		gitHubOptions(o),
		rehearsalOptions(o),
		reportOptions(o),
	)
}

// optionsOf are the rows that a command takes.
func optionsOf(command string, rows []option) []option {
	return slices.DeleteFunc(slices.Clone(rows), func(opt option) bool {
		return !slices.Contains(opt.commands, command)
	})
}

// under puts rows under a heading; those that do not say otherwise belong to these commands.
func under(group string, commands []string, rows ...option) []option {
	for i := range rows {
		rows[i].group = group
		if rows[i].commands == nil {
			rows[i].commands = commands
		}
	}
	return rows
}

// deployCommands are the commands that deploy, or say what they would do.
func deployCommands() []string { return []string{"deploy", "plan"} }

// verifyCommands are the commands that ask the runtime, or would.
func verifyCommands() []string { return append(deployCommands(), "verify") }

// appCommands are the commands that work on an app.
func appCommands() []string { return append(verifyCommands(), "delete") }
