package ci

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// droneSchema is where Drone finds the card's layout, dronecard.json.
const droneSchema = "https://raw.githubusercontent.com/spicedeploy/spice-deploy/main/internal/ci/dronecard.json"

// maxCardText keeps a card small, in bytes of each text.
const maxCardText = 1 << 10

// drones is a step of Drone, which takes nothing but a card. The form is that of Drone's own plugins
// (drone-plugins/drone-jira, card.go).
func drones(s step) Host {
	var known ledger
	return host{
		facts: s.facts,
		outputs: func(outs []Output) error {
			known.add(outs)
			return nil
		},
		summary: func(string) error {
			path := s.getenv("DRONE_CARD_PATH")
			if path == "" {
				return nil
			}
			card := struct {
				Schema string            `json:"schema"`
				Data   map[string]string `json:"data"`
			}{droneSchema, map[string]string{}}
			for _, name := range []string{"result", "reason", "app-name", "app-url", "deployment-id", "deployment-status", "duration-seconds"} {
				card.Data[strings.ReplaceAll(name, "-", "_")] = cardText(name, known.value(name))
			}
			data, err := json.Marshal(card)
			if err != nil {
				return fmt.Errorf("write the card: %w", err)
			}
			if path == "/dev/stdout" { // not the file, for other lines go there too
				_, err := fmt.Fprintf(s.stdout, "\x1b]1338;%s\x1b]0m\n", base64.StdEncoding.EncodeToString(data))
				return err
			}
			return replaceFile(path, data)
		},
	}
}

var cardMarkup = strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, "*", `\*`, "_", `\_`, "`", "\\`")

// cardText is a value without the Markdown that cards know, but for an address, which the card links to.
func cardText(name, value string) string {
	value = shortened(oneLine(value), maxCardText)
	if strings.HasSuffix(name, "-url") {
		return value
	}
	return cardMarkup.Replace(value)
}
