package ci

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// maxProblem is what TeamCity keeps of a build problem's description, in characters.
const maxProblem = 4000

// teamcity is a step of TeamCity, which takes service messages in its log, in the form that it documents under that
// name.
func teamcity(s step) Host {
	var known ledger
	message := func(name, attributes string) { fmt.Fprintf(s.stdout, "##teamcity[%s %s]\n", name, attributes) }
	return host{
		facts: s.facts,
		group: func(title string) func() {
			name := "name='" + teamcityEscapes.Replace(title) + "'"
			message("blockOpened", name)
			return func() { message("blockClosed", name) }
		},
		annotate: func(a Annotation) {
			text := teamcityEscapes.Replace(shortened(messageOf(a), maxProblem))
			switch a.Level {
			case Notice: // the log has the line
			case Warning:
				message("message", "text='"+text+"' status='WARNING'")
			default:
				message("buildProblem", "description='"+text+"'")
			}
		},
		outputs: func(outs []Output) error {
			for _, out := range known.add(outs) {
				// A percent sign would begin a reference to another parameter, which may be a password.
				value := strings.ReplaceAll(oneLine(out.Value), "%", "%%")
				message("setParameter", "name='env."+dotenvName(out.Name)+"' value='"+teamcityEscapes.Replace(value)+"'")
			}
			return nil
		},
	}
}

var teamcityEscapes = strings.NewReplacer("|", "||", "'", "|'", "\n", "|n", "\r", "|r", "[", "|[", "]", "|]",
	"\u0085", "|x", "\u2028", "|l", "\u2029", "|p")

// teamcityProperties is the environment, and under names with dots the properties of the build, which TeamCity gives
// as files: one that a variable names, and one that the first names.
func teamcityProperties(getenv func(string) string) func(string) string {
	properties := readProperties(getenv("TEAMCITY_BUILD_PROPERTIES_FILE"))
	maps.Copy(properties, readProperties(properties["teamcity.configuration.properties.file"]))
	return func(name string) string {
		if strings.Contains(name, ".") {
			return properties[name]
		}
		return getenv(name)
	}
}

// maxProperties limits what is read of a file of properties; a build has some hundred of them.
const maxProperties = 4 << 20

// readProperties reads a file as java.util.Properties writes it: one property a line. What cannot be read is empty.
func readProperties(path string) map[string]string {
	properties := map[string]string{}
	if path == "" {
		return properties
	}
	data, err := readFile(path, maxProperties)
	if err != nil {
		return properties
	}
	for line := range strings.Lines(string(data)) {
		name, value, found := cutProperty(strings.TrimRight(line, "\r\n"))
		if found && !strings.HasPrefix(line, "#") {
			properties[name] = value
		}
	}
	return properties
}

// cutProperty cuts a line at the first "=" that is not escaped.
func cutProperty(line string) (name, value string, found bool) {
	var b strings.Builder
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '=' && !found:
			name, found = b.String(), true
			b.Reset()
		case c != '\\' || i+1 == len(line):
			b.WriteByte(c)
		default:
			i++
			i += unescape(&b, line[i:])
		}
	}
	return name, b.String(), found
}

// unescape writes what is meant by the text behind a backslash, and returns how many more bytes than one it took.
func unescape(b *strings.Builder, text string) (more int) {
	switch text[0] {
	case 'n':
		b.WriteByte('\n')
	case 'r':
		b.WriteByte('\r')
	case 't':
		b.WriteByte('\t')
	case 'u':
		if len(text) >= 5 {
			if unit, err := strconv.ParseUint(text[1:5], 16, 16); err == nil {
				b.WriteRune(rune(unit)) // half of a pair becomes U+FFFD: no name of a branch is worth more
				return 4
			}
		}
		b.WriteByte('u')
	default:
		b.WriteByte(text[0])
	}
	return 0
}
