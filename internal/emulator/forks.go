package emulator

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// listForks uses the obvious envelope; the documented one is not known.
func listForks(s *state, c *call, a *app) reply {
	list := []wireApp{}
	for _, other := range s.apps {
		if !other.deleted && other.forkedFrom != nil && other.forkedFrom.ID == a.id {
			list = append(list, s.wire(c, other, false))
		}
	}
	return replyJSON(http.StatusOK, map[string]any{"forks": list})
}

// forkApp copies the spicepod, secrets, channel, tags and replicas into a new private app and does not deploy it.
// Keys and the repository stay behind.
func forkApp(s *state, c *call, source *app) reply {
	f, refused := parseForm(c.body)
	if refused != nil {
		return *refused
	}
	for name := range f.fields {
		if !slices.Contains([]string{"name", "region", "cluster_name", "scheduler_state_location"}, name) {
			f.fail(name, "Unknown field")
		}
	}
	name := f.text("name")
	if name != nil && !appNamePattern.MatchString(*name) {
		f.fail("name", "Must be 4 to 38 letters, digits or hyphens")
	}
	fork := s.newApp(source.org, "", c.now)
	fork.region, fork.cluster = source.region, source.cluster
	s.readPlacement(f, fork)
	location := f.text("scheduler_state_location")
	if refused := f.refusal(); refused != nil {
		return *refused
	}
	if refused := forkRefusal(source, fork, location); refused != nil {
		return *refused
	}
	if name == nil {
		free := s.freeForkName(source)
		if free == "" {
			return *refuse(http.StatusConflict, "fork_name_unavailable", "No name for the fork is free; give one")
		}
		name = &free
	}
	if s.appByName(source.org, *name) != nil {
		return *refusef(http.StatusConflict, "A project with this name already exists")
	}
	fork.name, fork.spicepod, fork.tags, fork.replicas = *name, source.spicepod, source.tags, source.replicas
	fork.updateChannel, fork.forkedFrom = source.updateChannel, &wireFork{ID: source.id, Name: source.name}
	s.adopt(fork)
	for _, secretName := range slices.Sorted(maps.Keys(source.secrets)) {
		s.storeSecret(fork, secretName, source.secrets[secretName].value, c.now)
	}
	return replyJSON(http.StatusCreated, struct {
		wireApp
		SharedState any `json:"shared_state"`
	}{s.wire(c, fork, true), nil})
}

func forkRefusal(source, fork *app, location *string) *reply {
	distributed := source.tags["kind"] == "cluster"
	switch {
	case fork.kind() != "managed":
		return refuse(http.StatusBadRequest, "fork_placement_required", "Give a region or a cluster for the fork")
	case source.spicepod == nil:
		return refuse(http.StatusUnprocessableEntity, "fork_source_has_no_spicepod", "The project has no spicepod to fork")
	case len(spicepodProblems(source.spicepod)) > 0:
		return refuse(http.StatusUnprocessableEntity, "fork_source_spicepod_invalid", "The project's spicepod is not valid")
	case distributed && location == nil:
		return refuse(http.StatusBadRequest, "scheduler_state_location_required", "A distributed project needs scheduler_state_location")
	case !distributed && location != nil:
		return refuse(http.StatusBadRequest, "scheduler_state_location_not_applicable", "The project is not distributed")
	case location != nil && !strings.HasPrefix(*location, "s3://"):
		return refuse(http.StatusBadRequest, "scheduler_state_location_unsupported", "scheduler_state_location must begin with s3://")
	}
	return nil
}

// freeForkName is <source>-fork, then -2 and so on, "" where none of ten is free or short enough.
func (s *state) freeForkName(source *app) string {
	for n := 1; n <= 10; n++ {
		name := source.name + "-fork"
		if n > 1 {
			name = fmt.Sprintf("%s-%d", name, n)
		}
		if appNamePattern.MatchString(name) && s.appByName(source.org, name) == nil {
			return name
		}
	}
	return ""
}
