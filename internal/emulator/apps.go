package emulator

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

var appNamePattern = regexp.MustCompile(`^[A-Za-z0-9-]{4,38}$`)

// cnameSuffix turns a region into the name of its data plane.
const cnameSuffix = "-prod-aws-data"

// app is a project.
type app struct {
	id               int64
	org, name        string
	description      string
	visibility       string
	created          time.Time
	region           string // "" and no cluster: Spice does not run it
	cluster          string
	productionBranch string
	tags             map[string]string
	forkedFrom       *wireFork

	spicepod      any // decoded JSON; nil for none
	updateChannel string
	version       string
	imageTag      string
	registry      string
	image         string
	nodeGroup     string
	replicas      int
	resources     any
	executor      any
	storageGB     *float64

	secrets       map[string]*secret
	keys          [2]string
	keyGeneration int
	deployments   []*deployment // oldest first

	repository    string // owner/name it is connected to
	rootDirectory string
	paused        bool
	pausedAt      time.Time // what had started before then is gone
	deleted       bool

	runtime      *Runtime            // how its data plane behaves; nil for the scenario's
	sessions     map[string]*session // of MCP, by their ids
	sessionsMade int
	toolCalls    int
}

// kind is "managed" for what Spice runs. The word for the other kind is not documented.
func (a *app) kind() string {
	if a.region == "" && a.cluster == "" {
		return "standalone"
	}
	return "managed"
}

// wireApp is a project as the API shows it. Config is missing in lists.
type wireApp struct {
	ID               int64             `json:"id"`
	Name             string            `json:"name"`
	Kind             string            `json:"kind"`
	Description      *string           `json:"description"`
	Visibility       string            `json:"visibility"`
	CreatedAt        string            `json:"created_at"`
	Endpoint         string            `json:"endpoint,omitempty"`
	Region           *string           `json:"region,omitempty"`
	CName            string            `json:"cname,omitempty"`
	ClusterID        *string           `json:"cluster_id"`
	ProductionBranch *string           `json:"production_branch"`
	Tags             map[string]string `json:"tags"`
	ForkedFrom       *wireFork         `json:"forked_from"`
	Config           *wireConfig       `json:"config,omitempty"`
}

type wireFork struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

type wireConfig struct {
	Spicepod           any      `json:"spicepod"`
	UpdateChannel      *string  `json:"update_channel"`
	Version            string   `json:"version,omitempty"`
	ImageTag           *string  `json:"image_tag"`
	Registry           *string  `json:"registry"`
	Image              *string  `json:"image"`
	Replicas           int      `json:"replicas"`
	Region             *string  `json:"region"`
	NodeGroup          *string  `json:"node_group"`
	Resources          any      `json:"resources"`
	Executor           any      `json:"executor"`
	StorageSizeGB      *float64 `json:"storage_size_gb"`
	StorageClaimSizeGB *float64 `json:"storage_claim_size_gb"`
}

// wire shows an app; editions of the service differ in how they say where its data plane is.
func (s *state) wire(c *call, a *app, withConfig bool) wireApp {
	w := wireApp{
		ID: a.id, Name: a.name, Kind: a.kind(), Description: orNull(a.description), Visibility: a.visibility,
		CreatedAt: s.stamp(a.created), ClusterID: orNull(a.cluster), ProductionBranch: orNull(a.productionBranch),
		Tags: a.tags, ForkedFrom: a.forkedFrom,
	}
	configRegion := orNull(a.region)
	endpoint := cmp.Or(s.settings.Endpoint, c.base)
	switch {
	case a.kind() != "managed":
	case s.settings.Placement == "host":
		_, w.Endpoint, _ = strings.Cut(endpoint, "://")
		w.Region = orNull(a.region)
	case s.settings.Placement == "cname":
		w.CName = a.region + cnameSuffix
	case s.settings.Placement == "region":
		w.Region = orNull(a.region)
	case s.settings.Placement == "data-region":
		w.Region = new(a.region + cnameSuffix)
	case s.settings.Placement == "config-region":
	default:
		w.Endpoint, w.Region = endpoint, orNull(a.region)
	}
	if withConfig {
		w.Config = &wireConfig{
			Spicepod: a.spicepod, UpdateChannel: orNull(a.updateChannel), Version: a.version, ImageTag: orNull(a.imageTag),
			Registry: orNull(a.registry), Image: orNull(a.image), Replicas: a.replicas, Region: configRegion,
			NodeGroup: orNull(a.nodeGroup), Resources: a.resources, Executor: a.executor,
			StorageSizeGB: a.storageGB, StorageClaimSizeGB: a.storageGB,
		}
	}
	return w
}

// listApps pages as the service's OpenAPI document says: limit (default and maximum 1,000), offset, and after_id
// for descending ids.
func listApps(s *state, c *call) reply {
	limit, refused := queryInt(c, "limit", s.settings.AppsPageSize, 1, maxAppsPage)
	if refused != nil {
		return *refused
	}
	offset, refused := queryInt(c, "offset", 0, 0, 1<<31-1)
	if refused != nil {
		return *refused
	}
	after, refused := queryInt(c, "after_id", 0, 0, 1<<53)
	if refused != nil {
		return *refused
	}
	list := []wireApp{}
	for _, a := range slices.Backward(s.apps) {
		if !a.deleted && strings.EqualFold(a.org, c.org) && (after == 0 || a.id < int64(after)) {
			list = append(list, s.wire(c, a, false))
		}
	}
	return replyJSON(http.StatusOK, map[string]any{c.family: page(list, offset, min(limit, s.settings.AppsPageSize))})
}

// page cuts a list.
func page[T any](list []T, offset, limit int) []T {
	list = list[min(offset, len(list)):]
	return list[:min(limit, len(list))]
}

func getApp(s *state, c *call, a *app) reply {
	return replyJSON(http.StatusOK, s.wire(c, a, true))
}

// createApp creates a project. Without a placement it is one that Spice does not run, silently: so does the
// service.
func createApp(s *state, c *call) reply {
	f, refused := parseForm(c.body)
	if refused != nil {
		return *refused
	}
	name := f.text("name")
	switch {
	case !f.given("name"):
		f.fail("name", "Required")
	case name != nil && !appNamePattern.MatchString(*name):
		f.fail("name", "Must be 4 to 38 letters, digits or hyphens")
	}
	if f.given("kind") {
		f.fail("kind", "Cannot be set")
	}
	a := s.newApp(c.org, "", c.now)
	s.readPlacement(f, a)
	s.readCommon(f, a)
	read[bool](f, "default_alerts", "boolean")
	if refused := f.refusal(); refused != nil {
		return *refused
	}
	if refused := s.planRefusal(f, a); refused != nil {
		return *refused
	}
	if s.appByName(c.org, *name) != nil {
		return *refusef(http.StatusConflict, "A project with this name already exists")
	}
	a.name = *name
	s.adopt(a)
	return replyJSON(http.StatusCreated, s.wire(c, a, false))
}

func deleteApp(_ *state, _ *call, a *app) reply {
	a.deleted, a.secrets, a.keys = true, nil, [2]string{}
	return noContent()
}

// newApp is an app that nobody can see before it is adopted.
func (s *state) newApp(org, name string, created time.Time) *app {
	return &app{
		org: org, name: name, created: created, visibility: "private", updateChannel: "stable", replicas: 1,
		secrets: map[string]*secret{},
	}
}

// adopt gives a new app its id and keys and makes it visible.
func (s *state) adopt(a *app) {
	if a.id == 0 {
		a.id = s.lastApp + 1
	}
	s.lastApp = max(s.lastApp, a.id)
	a.keys = [2]string{s.newKey(a, 1), s.newKey(a, 2)}
	s.apps = append(s.apps, a)
	slices.SortFunc(s.apps, func(x, y *app) int { return cmp.Compare(x.id, y.id) })
}
