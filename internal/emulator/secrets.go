package emulator

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var secretNamePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// secret is kept as it was sent, byte for byte.
type secret struct {
	id               int64
	name, value      string
	created, updated time.Time
}

type wireSecret struct {
	ID        int64  `json:"id"`
	Name      string `json:"name"`
	Value     string `json:"value"`
	CreatedAt string `json:"created_at"`
	UpdatedAt string `json:"updated_at"`
}

// wireSecret masks the value. The mask's length has nothing to do with the value's, and differs so that no
// client relies on it.
func (s *state) wireSecret(sec *secret) wireSecret {
	return wireSecret{
		ID: sec.id, Name: sec.name, Value: strings.Repeat("*", 8+int(sec.id%5)),
		CreatedAt: s.stamp(sec.created), UpdatedAt: s.stamp(sec.updated),
	}
}

func listSecrets(s *state, _ *call, a *app) reply {
	list := []wireSecret{}
	for _, name := range slices.Sorted(maps.Keys(a.secrets)) {
		list = append(list, s.wireSecret(a.secrets[name]))
	}
	return replyJSON(http.StatusOK, map[string]any{"secrets": list})
}

func getSecret(s *state, c *call, a *app) reply {
	sec := a.secrets[c.params[1]]
	if sec == nil {
		return *refusef(http.StatusNotFound, "Secret not found")
	}
	return replyJSON(http.StatusOK, s.wireSecret(sec))
}

// putSecret creates or replaces. Both 200 and 201 have been seen for a new one; the settings choose.
func putSecret(s *state, c *call, a *app) reply {
	f, refused := parseForm(c.body)
	if refused != nil {
		return *refused
	}
	name, value := f.text("name"), f.text("value")
	for _, field := range []string{"name", "value"} {
		if !f.given(field) {
			f.fail(field, "Required")
		}
	}
	if name != nil && !secretNamePattern.MatchString(*name) {
		f.fail("name", "Must begin with a letter or underscore and hold only letters, digits and underscores")
	}
	if refused := f.refusal(); refused != nil {
		return *refused
	}
	_, existed := a.secrets[*name]
	s.storeSecret(a, *name, *value, c.now)
	status := http.StatusOK
	if !existed {
		status = s.settings.SecretCreatedStatus
	}
	return replyJSON(status, s.wireSecret(a.secrets[*name]))
}

// storeSecret derives the id from the name, so that parallel writes give the same ids in any order.
func (s *state) storeSecret(a *app, name, value string, now time.Time) {
	sec := a.secrets[name]
	if sec == nil {
		id, _ := strconv.ParseInt(s.derive(7, "secret", a.id, name), 16, 64)
		sec = &secret{id: id + 1, name: name, created: now}
		a.secrets[name] = sec
	}
	sec.value, sec.updated = value, now
}

func deleteSecret(_ *state, c *call, a *app) reply {
	if a.secrets[c.params[1]] == nil {
		return *refusef(http.StatusNotFound, "Secret not found")
	}
	delete(a.secrets, c.params[1])
	return noContent()
}
