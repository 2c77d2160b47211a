package emulator

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// memberRoles are those of both descriptions of the service; owner cannot be given away.
var memberRoles = []string{"admin", "member", "viewer", "billing"}

// member belongs to the credentials' own organization.
type member struct {
	id       int64
	username string
	roles    []string
	created  time.Time
}

func (m *member) owner() bool { return slices.Contains(m.roles, "owner") }

type wireMember struct {
	UserID    int64    `json:"user_id"`
	Username  string   `json:"username"`
	Roles     []string `json:"roles"`
	IsOwner   bool     `json:"is_owner"`
	CreatedAt string   `json:"created_at"`
}

func (s *state) wireMember(m *member) wireMember {
	return wireMember{UserID: m.id, Username: m.username, Roles: m.roles, IsOwner: m.owner(), CreatedAt: s.stamp(m.created)}
}

func listMembers(s *state, _ *call) reply {
	list := []wireMember{}
	for _, m := range s.members {
		list = append(list, s.wireMember(m))
	}
	return replyJSON(http.StatusOK, map[string]any{"members": list})
}

func (s *state) member(c *call) (*member, *reply) {
	id, refused := positive(c.params[0], "member")
	if refused != nil {
		return nil, refused
	}
	for _, m := range s.members {
		if m.id == id {
			return m, nil
		}
	}
	return nil, refusef(http.StatusNotFound, "Member not found")
}

func getMember(s *state, c *call) reply {
	m, refused := s.member(c)
	if refused != nil {
		return *refused
	}
	return replyJSON(http.StatusOK, s.wireMember(m))
}

// addMember knows only users who have signed in before.
func addMember(s *state, c *call) reply {
	f, refused := parseForm(c.body)
	if refused != nil {
		return *refused
	}
	username := f.text("username")
	if !f.given("username") {
		f.fail("username", "Required")
	}
	roles := readRoles(f)
	if refused := f.refusal(); refused != nil {
		return *refused
	}
	same := func(name string) bool { return strings.EqualFold(name, *username) }
	if slices.ContainsFunc(s.members, func(m *member) bool { return same(m.username) }) {
		return *refusef(http.StatusConflict, "User is already a member of this organization")
	}
	i := slices.IndexFunc(s.users, same)
	if i < 0 {
		return *refusef(http.StatusNotFound, "User not found. They must have signed in to Spice.ai at least once")
	}
	if roles == nil {
		roles = []string{"member"}
	}
	s.lastUser++
	m := &member{id: s.lastUser, username: s.users[i], roles: roles, created: c.now}
	s.members = append(s.members, m)
	return replyJSON(http.StatusCreated, s.wireMember(m))
}

func readRoles(f *form) []string {
	roles := read[[]string](f, "roles", "an array of strings")
	if roles == nil {
		return nil
	}
	if len(*roles) == 0 {
		f.fail("roles", "Must not be empty")
	}
	for _, role := range *roles {
		if !slices.Contains(memberRoles, role) {
			f.fail("roles", "Expected one of %s", strings.Join(memberRoles, ", "))
		}
	}
	return *roles
}

func updateMember(s *state, c *call) reply {
	m, refused := s.member(c)
	if refused != nil {
		return *refused
	}
	f, refused := parseForm(c.body)
	if refused != nil {
		return *refused
	}
	roles := readRoles(f)
	if !f.given("roles") {
		f.fail("roles", "Required")
	}
	if refused := f.refusal(); refused != nil {
		return *refused
	}
	if m.owner() {
		return *refusef(http.StatusForbidden, "The roles of the organization's owner cannot be changed")
	}
	m.roles = roles
	return replyJSON(http.StatusOK, s.wireMember(m))
}

func removeMember(s *state, c *call) reply {
	m, refused := s.member(c)
	if refused != nil {
		return *refused
	}
	if m.owner() {
		return *refusef(http.StatusForbidden, "The organization's owner cannot be removed")
	}
	s.members = slices.DeleteFunc(s.members, func(x *member) bool { return x == m })
	return noContent()
}
