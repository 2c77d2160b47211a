package config

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// helpWidth is how many columns the help takes at most.
const helpWidth = 100

// Help writes the help of a command, or of the program where command is "". Errors of the writer are for the
// writer's owner to notice.
func Help(w io.Writer, command string) {
	var b strings.Builder
	if command == "" {
		writeCommands(&b)
	} else {
		writeOptions(&b, command)
	}
	_, _ = io.WriteString(w, b.String())
}

func writeCommands(b *strings.Builder) {
	b.WriteString("spice-deploy deploys apps to Spice.ai Cloud from CI.\n\nUsage: spice-deploy [COMMAND] [OPTIONS]\n\nCommands\n")
	for _, v := range verbs() {
		fmt.Fprintf(b, "  %-10s%s\n", v.name, v.meaning)
	}
	b.WriteString("\nspice-deploy COMMAND --help lists the options of a command.\n")
}

func writeOptions(b *strings.Builder, command string) {
	for _, v := range verbs() {
		if v.name == command {
			fmt.Fprintf(b, "spice-deploy %s: %s.\n\nUsage: spice-deploy %s", v.name, v.meaning, v.name)
		}
	}
	options := optionsOf(command, table(&Options{}))
	if len(options) == 0 {
		b.WriteString("\n")
		return
	}
	b.WriteString(" [OPTIONS]\n\n")
	wrap(b, "", "A value comes from the first of these that is not empty: the flag, INPUT_NAME, PLUGIN_NAME, "+
		"SPICE_NAME, other names where listed, the default. INPUT_ names are also read with dashes, as "+
		"GitHub's runner sets them: INPUT_APP-NAME.")
	wrap(b, "", "Options without a value below are true or false: --name or --name=false.")
	if slices.ContainsFunc(options, func(opt option) bool { return opt.secret }) {
		// The limit is the kernel's MAX_ARG_STRLEN, see execve(2).
		wrap(b, "", "Flags of secrets take @FILE or - for standard input, never the value itself. On Linux an "+
			"environment variable holds at most 128 KiB: give larger secrets as secrets-file.")
	}
	group := ""
	for _, opt := range options {
		if opt.group != group {
			group = opt.group
			fmt.Fprintf(b, "\n%s\n", group)
		}
		writeOption(b, opt)
	}
}

func writeOption(b *strings.Builder, opt option) {
	usage := "--" + opt.name
	if !opt.isBool {
		usage += " " + opt.arg
	}
	fmt.Fprintf(b, "  %s\n", usage)
	wrap(b, "      ", strings.ReplaceAll(describeWithDefault(opt), "`", ""))
	wrap(b, "      ", environmentLine(opt))
}

// describe is the meaning of an option and the words that it takes, in one line of Markdown. Help, action.yml
// and the README share it.
func describe(opt option) string {
	text := opt.meaning
	if len(opt.words) > 0 {
		text += " One of `" + strings.Join(opt.words, "`, `") + "`."
	}
	if len(opt.aliases) > 0 {
		text += " Also called `" + strings.Join(opt.aliases, "`, `") + "`."
	}
	return text
}

// defaultOf is what the option is where it is not given, in Markdown, "" where that is nothing.
func defaultOf(opt option) string {
	if opt.shown == "" && opt.def != "" {
		return "`" + opt.def + "`"
	}
	return opt.shown
}

func describeWithDefault(opt option) string {
	if def := defaultOf(opt); def != "" {
		return describe(opt) + " Default: " + def
	}
	return describe(opt)
}

func environmentLine(opt option) string {
	var names []string
	for _, name := range opt.names() {
		for _, at := range []level{spiceLevel, pluginLevel, inputLevel} {
			all := variables(opt, name, at)
			names = append(names, all[len(all)-1])
		}
	}
	return "Environment: " + strings.Join(append(names, opt.env...), ", ")
}

// wrap writes a paragraph with an indent, broken at blanks.
func wrap(b *strings.Builder, indent, paragraph string) {
	column := 0
	for word := range strings.FieldsSeq(paragraph) {
		switch {
		case column == 0:
			b.WriteString(indent + word)
			column = len(indent) + len(word)
		case column+1+len(word) > helpWidth:
			b.WriteString("\n" + indent + word)
			column = len(indent) + len(word)
		default:
			b.WriteString(" " + word)
			column += 1 + len(word)
		}
	}
	b.WriteString("\n")
}
