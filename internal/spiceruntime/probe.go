package spiceruntime

import (
	"encoding/json"
	"strings"

	"github.com/spicedeploy/spice-deploy/internal/remote"
)

// The kinds of probes, which are also the names under which their outcomes are reported.
const (
	sqlProbe    = "sql"
	nsqlProbe   = "nsql"
	chatProbe   = "chat"
	searchProbe = "search"
	mcpProbe    = "mcp"
)

// Inputs are the texts of the options that describe probes; an empty one describes none.
//
// A text is one probe, or several where it begins with [ or with - and a blank: then it is a JSON or YAML list, whose
// lines may all be indented. A probe is written as a text or as a map. A text is a map in JSON where it begins with {,
// and one in YAML where it has one of the keys that tell it: those of SQL and MCPTool, query, messages or text.
//
//	SQL          the query, sent as it is; as a map {sql, parameters?, expect?}
//	NSQL         the question; as a map the body of POST /v1/nsql
//	Chat         the prompt; as a map the body of POST /v1/chat/completions, of which stream and stream_options
//	             are left out, since the answer is read in one piece
//	Search       the text to search for; as a map the body of POST /v1/search
//	MCPTool      the name of the tool; as a map {tool, arguments?}
//
// ChatModel is the model of each chat and NSQL probe that names none; a chat probe needs one. MCPArguments is a
// JSON object, the arguments of each MCP probe that has none of its own; without it they are {}. The two are
// not used where no probe could use them, as by the official action.
//
// The parameters of SQL are a list for $1, $2, …, or a map for named ones. An expectation is a map with
//
//	rows: 3              how many rows: a number, or ">0", ">=1", "<10", "<=9", "=3", "!=0"
//	value: 42            the first column of the first row
//	column: n            or that column of the first row, together with
//	equals: 42           what it has to be
//
// where rows may stand beside either of the others. The value is a scalar: numbers are compared by their value,
// everything else by its text, and null equals only null. Instead of the map there may be a text such as
//
//	rows > 0             which is rows: ">0", with any of the operators
//
// or any other scalar but null, which is the value: 42 is {value: 42}. A text that looks like a comparison of
// something else than rows is refused, since it would be taken for a value.
type Inputs struct {
	SQL, NSQL, Chat, ChatModel, Search, MCPTool, MCPArguments string
}

// Probe is one check of the runtime. [ParseProbes] makes them.
type Probe struct {
	Kind string // sql, nsql, chat, search or mcp
	Text string // what is asked, as one line of at most 80 characters

	body   []byte
	raw    bool // body is SQL and not JSON
	expect *expectation
}

// String is such as "sql: SELECT 1".
func (p Probe) String() string { return p.Kind + ": " + p.Text }

// ParseProbes makes probes of the options, in the order sql, nsql, chat, search, mcp. The error is a
// diag.Problems with everything that is wrong in any of them, each with the option's name.
func ParseProbes(in Inputs) ([]Probe, error) {
	p := &parser{model: strings.TrimSpace(in.ChatModel)}
	p.each("test-sql", in.SQL, p.sql, "sql", "expect", "parameters")
	p.each("test-nsql", in.NSQL, p.nsql, "query")
	p.each("test-chat", in.Chat, p.chat, "messages")
	p.each("test-search", in.Search, p.search, "text")
	p.readArguments(in.MCPArguments)
	p.each("test-mcp-tool", in.MCPTool, p.mcp, "tool", "arguments")
	if err := p.problems.Err(); err != nil {
		return nil, err
	}
	return p.probes, nil
}

// add makes a probe of a request body; text is what people see of it, "" for the body itself.
func (p *parser) add(kind, text string, body map[string]any) {
	raw, err := json.Marshal(body)
	if err != nil {
		p.problem("not to be written as JSON: %v", err)
		return
	}
	if text == "" {
		text = string(raw)
	}
	p.probes = append(p.probes, Probe{Kind: kind, Text: remote.OneLine(text, detailLimit), body: raw})
}

func (p *parser) nsql(text string, body map[string]any) {
	if body == nil {
		body = map[string]any{"query": text}
	} else if !p.hasText(body, "query", "the question") {
		return
	}
	if p.model != "" && body["model"] == nil {
		body["model"] = p.model
	}
	p.add(nsqlProbe, text, body)
}

func (p *parser) chat(text string, body map[string]any) {
	if body == nil {
		body = map[string]any{"messages": []any{map[string]any{"role": "user", "content": text}}}
	}
	if messages, ok := body["messages"].([]any); !ok || len(messages) == 0 {
		p.problem("a chat body needs messages, a list of {role, content}")
		return
	}
	if body["model"] == nil && p.model != "" {
		body["model"] = p.model
	}
	if model, ok := body["model"].(string); !ok || model == "" {
		p.problem("it is not known which model to ask; set test-chat-model to the name of a model in the spicepod")
		return
	}
	delete(body, "stream")
	delete(body, "stream_options")
	p.add(chatProbe, text, body)
}

func (p *parser) search(text string, body map[string]any) {
	if body == nil {
		body = map[string]any{"text": text}
	} else if !p.hasText(body, "text", "what to search for") {
		return
	}
	if datasets, ok := body["datasets"].([]any); ok && len(datasets) == 0 {
		p.problem("datasets is empty, which the runtime refuses; leave it out to search all of them")
		return
	}
	p.add(searchProbe, text, body)
}

func (p *parser) readArguments(text string) {
	p.option, p.item, p.arguments = "test-mcp-arguments", 0, map[string]any{}
	if text = strings.TrimSpace(text); text == "" {
		return
	}
	arguments, err := parseObject(text)
	if err != nil {
		p.problem("%v", err)
		return
	}
	p.arguments = arguments
}

func (p *parser) mcp(text string, body map[string]any) {
	tool, arguments := text, p.arguments
	if body != nil {
		if !p.onlyKeys(body, "tool", "arguments") || !p.hasText(body, "tool", "the name of the tool") {
			return
		}
		tool, _ = body["tool"].(string)
		if own, given := body["arguments"]; given {
			object, ok := own.(map[string]any)
			if !ok {
				p.problem("arguments: expected a map, got %s", kindOf(own))
				return
			}
			arguments = object
		}
	}
	p.add(mcpProbe, tool, map[string]any{"name": tool, "arguments": arguments})
}

func (p *parser) sql(text string, body map[string]any) {
	if body == nil {
		p.addSQL(text)
		return
	}
	if !p.onlyKeys(body, "sql", "parameters", "expect") || !p.hasText(body, "sql", "the query") {
		return
	}
	text, _ = body["sql"].(string)
	text = strings.TrimSpace(text)
	var expect *expectation
	if given, ok := body["expect"]; ok {
		var err error
		if expect, err = parseExpectation(given); err != nil {
			p.problem("expect: %v", err)
			return
		}
	}
	parameters, given := body["parameters"]
	switch parameters.(type) {
	case nil, []any, map[string]any:
	default:
		p.problem("parameters: expected a list, or a map of named ones, got %s", kindOf(parameters))
		return
	}
	before := len(p.probes)
	if given && parameters != nil {
		p.add(sqlProbe, text, map[string]any{"sql": text, "parameters": parameters})
	} else {
		p.addSQL(text)
	}
	for i := range p.probes[before:] {
		p.probes[before+i].expect = expect
	}
}

func (p *parser) addSQL(text string) {
	p.probes = append(p.probes, Probe{Kind: sqlProbe, Text: remote.OneLine(text, detailLimit), body: []byte(text), raw: true})
}

func (p *parser) hasText(body map[string]any, key, meaning string) bool {
	if text, ok := body[key].(string); ok && strings.TrimSpace(text) != "" {
		return true
	}
	p.problem("%s is missing: %s, as a text", key, meaning)
	return false
}

func (p *parser) onlyKeys(body map[string]any, known ...string) bool {
	unknown := unknownKeys(body, known...)
	if unknown != "" {
		p.problem("%s is not understood; expected one of %s", unknown, strings.Join(known, ", "))
	}
	return unknown == ""
}
