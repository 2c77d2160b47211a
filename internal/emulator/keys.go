package emulator

import (
	"fmt"
	"net/http"
)

type wireKeys struct {
	APIKey         *string `json:"api_key"`
	APIKey2        *string `json:"api_key_2"`
	RegeneratedKey *int    `json:"regenerated_key,omitempty"`
}

// newKey looks like the service's: the app's id, a bar, hexadecimal digits.
func (s *state) newKey(a *app, number int) string {
	return fmt.Sprintf("%d|%s", a.id, s.derive(32, "key", a.id, number, a.keyGeneration))
}

func getKeys(_ *state, _ *call, a *app) reply {
	return replyJSON(http.StatusOK, wireKeys{APIKey: orNull(a.keys[0]), APIKey2: orNull(a.keys[1])})
}

// rotateKeys replaces the primary key (1, the default), the secondary (2) or both (0); the old key is gone at once.
func rotateKeys(s *state, c *call, a *app) reply {
	f, refused := parseForm(c.body)
	if refused != nil {
		return *refused
	}
	number := 1
	if v := f.integer("key_number", 0, 2); v != nil {
		number = *v
	}
	if refused := f.refusal(); refused != nil {
		return *refused
	}
	a.keyGeneration++
	for i := range a.keys {
		if number == 0 || number == i+1 {
			a.keys[i] = s.newKey(a, i+1)
		}
	}
	return replyJSON(http.StatusOK, wireKeys{APIKey: orNull(a.keys[0]), APIKey2: orNull(a.keys[1]), RegeneratedKey: &number})
}
