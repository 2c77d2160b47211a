package secretsync

import (
	"slices"
	"strings"
)

// envForms is what an entry of secrets-from-env may look like.
const envForms = "write NAME, NAME=VARIABLE, PREFIX_* or *=PREFIX_*"

// envReader reads the list of secrets-from-env.
type envReader struct {
	*collector
	values map[string]string
	names  []string // of the variables, sorted
	after  string   // the last good name of the list
}

// readFromEnv takes the variables that the list names, with their bytes as they are. An entry that is wrong is
// told by its number: people put a value into this list by mistake.
func (c *collector) readFromEnv(list string, environ []string) {
	r := &envReader{collector: c, values: map[string]string{}}
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		// The first of several counts, as it does for os.Getenv. Windows has entries without a name.
		if _, twice := r.values[name]; !twice && name != "" {
			r.values[name] = value
			r.names = append(r.names, name)
		}
	}
	slices.Sort(r.names)
	list = strings.TrimPrefix(list, byteOrderMark)
	items := strings.FieldsFunc(list, func(char rune) bool { return strings.ContainsRune(", \t\r\n", char) })
	for i, item := range items {
		r.readItem(place{option: fromEnv, item: i + 1, after: r.after}, item)
	}
}

func (r *envReader) readItem(at place, item string) {
	name, variable, renamed := strings.Cut(item, "=")
	if !renamed {
		variable = name
	}
	prefix, isPattern := strings.CutSuffix(variable, "*")
	switch {
	case isPattern && prefix == "" && (!renamed || name == "*"):
		r.report(at, "a bare * would send every variable of the job", "write a prefix: PREFIX_*")
	case isPattern && validName.MatchString(prefix) && !renamed:
		r.readPattern(at, prefix, "")
	case isPattern && validName.MatchString(prefix) && name == "*":
		r.readPattern(at, prefix, prefix)
	case name == "*" && validName.MatchString(variable):
		r.report(at, "after *= stands a prefix and a *", "write *=PREFIX_*")
	case renamed && (name == "" || variable == ""):
		r.report(at, "the entry is not complete", envForms+", without blanks around the =")
	case strings.Contains(item, "*"):
		r.report(at, "a * stands only at the end of a prefix, or as *= before one", envForms)
	case !validName.MatchString(name):
		message, hint := lineNameFault(name)
		r.report(at, message, hint+"; "+envForms)
	default:
		r.readVariable(at, name, variable, renamed)
	}
}

// readVariable takes one variable. Neither a variable that is not set nor a name that may be a value is shown.
func (r *envReader) readVariable(at place, name, variable string, renamed bool) {
	value, set := r.values[variable]
	switch {
	case set && r.add(entry{name: name, value: value, at: at}):
		r.after = name
	case set || r.isExcluded(name):
	case renamed && showable(name):
		r.reportUnset(at, "the variable that "+name+" is to be taken from is not set", "what stands after = is the name of a variable, not a value; is it passed to this step under env?")
	case renamed:
		r.reportUnset(at, "the variable after = is not set", "what stands there is the name of a variable, not a value; is it passed to this step under env?")
	case showable(name):
		r.reportUnset(at, name+" is not set in the environment", "pass it to this step under env; a variable that is only in the CI system's settings is not seen here")
	default:
		r.reportUnset(at, "there is no variable of this name", "write names of variables here, not values, and pass them to this step under env")
	}
}

// readPattern takes all variables with a prefix, under their names without what is to be cut off.
func (r *envReader) readPattern(at place, prefix, cut string) {
	found := false
	for _, variable := range r.names {
		if !strings.HasPrefix(variable, prefix) {
			continue
		}
		found = true
		name := strings.TrimPrefix(variable, cut)
		switch {
		case isJobToken(name), isJobToken(variable), variable == "GITHUB_TOKEN":
			r.notices = append(r.notices, fromEnv+": "+variable+" is left out: it is the job's own token and ends with the job")
		case r.isExcluded(name):
		case !validName.MatchString(name):
			r.report(at, variable+" would become a secret with a name that is not valid", nameRule+": write NAME="+variable+", or leave it out with "+excludeWord)
		default:
			if r.add(entry{name: name, value: r.values[variable], at: at}) {
				r.after = name
			}
		}
	}
	if !found {
		r.reportUnset(at, "no variable begins with this prefix", "pass the variables to this step under env, and mind the case of their names")
	}
}

// reportUnset is the same as an empty value for CI systems that do not set the variables of absent secrets.
func (r *envReader) reportUnset(at place, message, hint string) {
	if r.emptyIsWarning {
		r.warnings = append(r.warnings, at.String()+": "+message)
		return
	}
	r.report(at, message, hint)
}
