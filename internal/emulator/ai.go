package emulator

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// openAIError is how the routes that follow OpenAI refuse. What the service says exactly is not documented, so
// that there is no code.
func openAIError(status int, message string) reply {
	return replyJSON(status, map[string]any{"error": map[string]any{
		"message": message, "type": "invalid_request_error", "param": nil, "code": nil,
	}})
}

type chatMessage struct {
	Role    string `json:"role"`
	Content any    `json:"content"`
}

// text is what the message says: a text, or the texts among its parts.
func (m chatMessage) text() string {
	if s, ok := m.Content.(string); ok {
		return s
	}
	parts, _ := m.Content.([]any)
	var texts []string
	for _, part := range parts {
		if p, ok := part.(map[string]any); ok {
			texts = append(texts, text(p, "text"))
		}
	}
	return strings.Join(texts, "\n")
}

// chat asks no model. Streams are not emulated.
func chat(s *state, c *call, run *running) reply {
	if accepted := c.header.Get("Accept-Encoding"); s.settings.ChatCompressionTrap && accepted != "" && accepted != "identity" {
		return (&Fault{Kind: HTML}).reply()
	}
	var ask struct {
		Model    string        `json:"model"`
		Messages []chatMessage `json:"messages"`
		Stream   bool          `json:"stream"`
	}
	if refused := readJSON(c, &ask); refused != nil {
		return *refused
	}
	switch {
	case ask.Model == "":
		return openAIError(http.StatusBadRequest, "missing field `model`")
	case len(ask.Messages) == 0:
		return openAIError(http.StatusBadRequest, "missing field `messages`")
	case ask.Stream:
		return openAIError(http.StatusBadRequest, "this emulator does not stream")
	}
	if refused := findModel(slices.Concat(run.models("models"), run.models("workers")), ask.Model); refused != "" {
		return openAIError(http.StatusNotFound, refused)
	}
	prompt, answer := ask.Messages[len(ask.Messages)-1].text(), emulated+"no model was asked"
	for _, a := range run.script.Chat {
		if !a.answers(prompt) {
			continue
		}
		if status, message, refused := a.refuses(http.StatusInternalServerError); refused {
			return openAIError(status, message)
		}
		answer = a.Text
		break
	}
	in, out := len(strings.Fields(prompt)), len(strings.Fields(answer))
	return replyJSON(http.StatusOK, map[string]any{
		"id": "chatcmpl-" + strings.TrimPrefix(c.requestID, "req_"), "object": "chat.completion", "created": run.now.Unix(), "model": ask.Model,
		"choices": []any{map[string]any{
			"index": 0, "finish_reason": "stop", "message": map[string]any{"role": "assistant", "content": answer},
		}},
		"usage": map[string]int{"prompt_tokens": in, "completion_tokens": out, "total_tokens": in + out}, // words, in truth
	})
}

// embed makes up a short vector for each input: the same one for the same text.
func embed(s *state, c *call, run *running) reply {
	var ask struct {
		Model string          `json:"model"`
		Input json.RawMessage `json:"input"`
	}
	if refused := readJSON(c, &ask); refused != nil {
		return *refused
	}
	var inputs []string
	var one string
	switch {
	case json.Unmarshal(ask.Input, &one) == nil:
		inputs = []string{one}
	case json.Unmarshal(ask.Input, &inputs) != nil || len(inputs) == 0:
		return openAIError(http.StatusBadRequest, "input: expected a string or a list of strings")
	}
	if refused := findModel(run.models("embeddings"), ask.Model); refused != "" {
		return openAIError(http.StatusNotFound, refused)
	}
	data := []any{}
	for i, input := range inputs {
		vector := make([]float64, 8)
		digits := s.derive(2*len(vector), "embedding", input)
		for j := range vector {
			n, _ := strconv.ParseUint(digits[2*j:2*j+2], 16, 8) // they are hexadecimal
			vector[j] = float64(n)/127.5 - 1
		}
		data = append(data, map[string]any{"object": "embedding", "index": i, "embedding": vector})
	}
	return replyJSON(http.StatusOK, map[string]any{
		"object": "list", "model": ask.Model, "data": data, "usage": map[string]int{"prompt_tokens": len(inputs), "total_tokens": len(inputs)},
	})
}

// search searches nothing: without a script it makes up one result for each dataset.
func search(s *state, c *call, run *running) reply {
	var ask struct {
		Text     *string         `json:"text"`
		Datasets json.RawMessage `json:"datasets"`
		Limit    *int            `json:"limit"`
	}
	if refused := readJSON(c, &ask); refused != nil {
		return *refused
	}
	var names []string
	switch {
	case ask.Text == nil || *ask.Text == "":
		return replyText(http.StatusBadRequest, "Failed to deserialize the JSON body into the target type: missing field `text`")
	case ask.Limit != nil && *ask.Limit <= 0:
		return replyText(http.StatusBadRequest, "limit must be greater than 0")
	case ask.Datasets != nil && json.Unmarshal(ask.Datasets, &names) != nil:
		return replyText(http.StatusBadRequest, "datasets: expected a list of strings")
	case names != nil && len(names) == 0:
		return replyText(http.StatusBadRequest, "datasets must not be empty; omit it to search all")
	}
	results, failed := run.search(*ask.Text, names)
	if failed != nil {
		return failed.reply()
	}
	key := "results"
	if s.settings.SearchEdition == "matches" {
		key = "matches"
	}
	return replyJSON(http.StatusOK, map[string]any{key: s.inEdition(results), "duration_ms": 1})
}

// search is what the script says, or one made-up result for each of the datasets; nil names mean all.
func (run *running) search(query string, names []string) ([]Row, *failure) {
	datasets := run.datasets()
	for _, name := range names {
		if !slices.ContainsFunc(datasets, func(d dataset) bool { return d.name == name || quoted(d.name) == name }) {
			return nil, &failure{http.StatusBadRequest, "Dataset " + name + " not found"}
		}
	}
	for _, a := range run.script.Search {
		if !a.answers(query) {
			continue
		}
		if status, message, refused := a.refuses(http.StatusBadRequest); refused {
			return nil, &failure{status, message}
		}
		return append([]Row{}, a.Results...), nil
	}
	results := []Row{}
	for _, d := range datasets {
		if names == nil || slices.Contains(names, d.name) || slices.Contains(names, quoted(d.name)) {
			results = append(results, Row{"dataset": d.name, "_score": 0.5, "matches": map[string]any{"emulated": []string{emulated + "nothing was searched"}}})
		}
	}
	return results, nil
}

// inEdition turns the made-up and scripted results into what the runtime's versions before 2.0 answer, where
// they have matches: one value instead of lists by column.
func (s *state) inEdition(results []Row) []Row {
	if s.settings.SearchEdition != "matches" {
		return results
	}
	old := []Row{}
	for _, r := range results {
		row := Row{}
		for name, value := range r {
			switch name {
			case "matches":
				row["value"] = cell(value)
			case "_score":
				row["score"] = value
			default:
				row[name] = value
			}
		}
		old = append(old, row)
	}
	return old
}
