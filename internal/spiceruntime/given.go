package spiceruntime

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/spicedeploy/spice-deploy/internal/diag"
)

// parser reads what was given for each option and makes probes of it.
type parser struct {
	model     string
	arguments map[string]any

	option   string // which is being read
	item     int    // of its list, from 1; 0 where it is none
	probes   []Probe
	problems diag.Problems
}

func (p *parser) problem(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if p.item > 0 {
		text = fmt.Sprintf("item %d: %s", p.item, text)
	}
	p.problems = append(p.problems, diag.Problem{Option: p.option, Message: text})
}

// each hands every probe of an option to read: as a text, or as a map. The keys are those by which a text is known to
// be a map in YAML.
func (p *parser) each(option, text string, read func(text string, body map[string]any), keys ...string) {
	p.option, p.item = option, 0
	switch {
	case strings.TrimSpace(text) == "":
		return
	case !beginsList(strings.TrimSpace(text)):
		p.one(text, read, keys)
		return
	}
	list, err := parseList(withoutBlanks(text))
	if err != nil {
		p.problem("%v", err)
		return
	}
	if len(list) == 0 {
		p.problem("the list is empty; leave the option out for no probe")
	}
	for i, item := range list {
		p.item = i + 1
		p.one(item, read, keys)
	}
}

func beginsList(text string) bool {
	return text == "-" || text[0] == '[' || (text[0] == '-' && strings.ContainsRune(" \t\r\n", rune(text[1])))
}

// withoutBlanks is a text without blank lines around it. The indentation of the first line stays: YAML tells by it
// which lines belong together.
func withoutBlanks(text string) string {
	text = strings.TrimRightFunc(text, unicode.IsSpace)
	blanks := text[:len(text)-len(strings.TrimLeftFunc(text, unicode.IsSpace))]
	return text[strings.LastIndexByte(blanks, '\n')+1:]
}

func (p *parser) one(item any, read func(text string, body map[string]any), keys []string) {
	switch item := item.(type) {
	case map[string]any:
		read("", item)
	case string:
		p.text(item, read, keys)
	default:
		p.problem("expected a text or a map, got %s", kindOf(item))
	}
}

// text hands a text to read, or the map that it holds.
func (p *parser) text(given string, read func(text string, body map[string]any), keys []string) {
	text := strings.TrimSpace(given)
	first, _, _ := strings.Cut(text, "\n")
	var body map[string]any
	var err error
	switch {
	case text == "":
		p.problem("it is empty")
		return
	case strings.TrimSpace(first) == "---":
		p.problem("it begins with ---; leave that line out")
		return
	case text[0] == '{':
		body, err = parseObject(text)
	default:
		body, err = parseBlock(withoutBlanks(given), keys)
	}
	switch {
	case err != nil:
		p.problem("%v", err)
	case body != nil:
		read("", body)
	default:
		read(text, nil)
	}
}

// parseBlock reads a map in YAML that is not in braces, and that has one of the keys. Every other text is none, and
// gives nil; an error is what is wrong with one whose first line begins with a key.
func parseBlock(text string, keys []string) (map[string]any, error) {
	value, err := parseYAML(text)
	if err != nil {
		if key, _, found := strings.Cut(text, ":"); found && slices.Contains(keys, strings.TrimSpace(key)) {
			return nil, fmt.Errorf("expected a map in YAML or JSON: %w", err)
		}
		return nil, nil
	}
	body, _ := value.(map[string]any)
	if !slices.ContainsFunc(keys, func(key string) bool { _, has := body[key]; return has }) {
		return nil, nil
	}
	return body, nil
}
