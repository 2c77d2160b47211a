package emulator

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// deploymentStatuses are what the list can be filtered by.
var deploymentStatuses = []string{queued, inProgress, succeeded, failed, created}

// maxDeploymentsPage is documented, with a default of 20.
const maxDeploymentsPage = 100

// listDeployments is newest first. A new record may be missing for a while, where the settings say so.
func listDeployments(s *state, c *call, a *app) reply {
	limit, refused := queryInt(c, "limit", 20, 1, maxDeploymentsPage)
	if refused != nil {
		return *refused
	}
	offset, refused := queryInt(c, "offset", 0, 0, 1<<31-1)
	if refused != nil {
		return *refused
	}
	wanted := c.query.Get("status")
	if wanted != "" && !slices.Contains(deploymentStatuses, wanted) {
		return *refusef(http.StatusBadRequest, "Query parameter status must be one of %s", strings.Join(deploymentStatuses, ", "))
	}
	list := []wireDeployment{}
	for i, sp := range slices.Backward(a.spans()) {
		d := a.deployments[i]
		if c.now.Before(d.created.Add(s.settings.ListLag)) || wanted != "" && wanted != d.status(sp, c.now) {
			continue
		}
		list = append(list, s.wireDeployment(d, sp, c.now))
	}
	return replyJSON(http.StatusOK, map[string]any{"deployments": page(list, offset, limit)})
}

// deployment finds the one that the path names.
func (c *call) deployment(a *app) (*deployment, span, *reply) {
	id, refused := positive(c.params[1], "deployment")
	if refused != nil {
		return nil, span{}, refused
	}
	for i, sp := range a.spans() {
		if a.deployments[i].id == id {
			return a.deployments[i], sp, nil
		}
	}
	return nil, span{}, refusef(http.StatusNotFound, "Deployment not found")
}

func getDeployment(s *state, c *call, a *app) reply {
	d, sp, refused := c.deployment(a)
	if refused != nil {
		return *refused
	}
	return replyJSON(http.StatusOK, s.wireDeployment(d, sp, c.now))
}

func createDeployment(s *state, c *call, a *app) reply {
	f, refused := parseForm(c.body)
	if refused != nil {
		return *refused
	}
	d := &deployment{
		channel: a.updateChannel, imageTag: a.imageTag, replicas: a.replicas,
		branch: deref(f.text("branch")), sha: deref(f.text("commit_sha")), message: deref(f.text("commit_message")),
		debug: deref(f.boolean("debug")),
	}
	d.channel = cmp.Or(deref(f.oneOf("channel", channels...)), d.channel)
	d.replicas = cmp.Or(deref(f.integer("replicas", 1, 10)), d.replicas)
	tag := f.text("image_tag")
	if tag != nil && *tag == "" {
		f.fail("image_tag", "Must not be empty")
	}
	if refused := f.refusal(); refused != nil {
		return *refused
	}
	if f.given("replicas") && d.replicas > s.settings.MaxReplicas {
		return *refusef(http.StatusForbidden, "Your plan allows at most %d replicas", s.settings.MaxReplicas)
	}
	if a.paused {
		return *refuse(http.StatusBadRequest, "spicepod_paused", "The project is paused. Resume it to deploy")
	}
	if tag != nil {
		if refused := s.imageRefusal(*tag, d.channel); refused != nil {
			return *refused
		}
		d.imageTag = *tag
	}
	if refused := s.deploy(c, a, d); refused != nil {
		return *refused
	}
	return replyJSON(http.StatusAccepted, s.wireDeployment(d, a.spans()[len(a.deployments)-1], c.now))
}

// deploy accepts a deployment or says why not. A connected app takes the spicepod, the branch and the commit
// from the head of its production branch, whatever the request said.
func (s *state) deploy(c *call, a *app, d *deployment) *reply {
	spicepod := a.spicepod
	if a.repository != "" {
		head, refused := s.head(a.repository, a.productionBranch)
		if refused != nil {
			return refused
		}
		spicepod, d.branch, d.sha, d.message = head.Spicepod, a.productionBranch, head.CommitSHA, head.CommitMessage
	}
	if spicepod == nil {
		return refusef(http.StatusBadRequest, "Project has no spicepod configuration")
	}
	if problems := spicepodProblems(spicepod); len(problems) > 0 {
		r := replyJSON(http.StatusBadRequest, wireError{
			Error: "Invalid spicepod configuration", Details: &wireDetails{FieldErrors: map[string][]string{"spicepod": problems}},
		})
		return &r
	}
	if s.conflicts(a, c.now) {
		return refusef(http.StatusConflict, "A deployment is already in progress for this project")
	}
	a.spicepod = spicepod
	d.actor, d.requestID, d.source = c.caller.name, c.requestID, "api"
	if len(s.outcomes) > 0 {
		d.outcome, s.outcomes = s.outcomes[0], s.outcomes[1:]
	}
	if d.imageTag != "" && d.channel == "stable" && !published(d.imageTag) {
		d.outcome.Status = queued // nothing pulls an image that is not there
	}
	s.start(a, d, c.now)
	return nil
}

// start takes a deployment into the app's history.
func (s *state) start(a *app, d *deployment, at time.Time) {
	s.lastDeployment++
	d.id, d.createdBy = s.lastDeployment, s.createdBy(d.actor)
	d.spicepod, d.secretNames = a.spicepod, a.secretNames()
	d.schedule(s, at)
	a.deployments = append(a.deployments, d)
}

// conflicts: the service refuses while an earlier one is queued; one edition, while any has not ended.
func (s *state) conflicts(a *app, now time.Time) bool {
	for i, sp := range a.spans() {
		switch a.deployments[i].status(sp, now) {
		case queued:
			return true
		case inProgress:
			if s.settings.ConflictEdition == "any" {
				return true
			}
		}
	}
	return false
}

// spicepodProblems is the part of the service's schema that is known: a manifest's head, lists of named
// components, and row_id, which has to be a list.
func spicepodProblems(v any) []string {
	m, ok := v.(map[string]any)
	if !ok {
		return []string{"expected an object"}
	}
	var problems []string
	if m["kind"] != "Spicepod" {
		problems = append(problems, "kind must be Spicepod")
	}
	if text, ok := m["version"].(string); !ok || text == "" {
		problems = append(problems, "version is required")
	}
	if text, ok := m["name"].(string); !ok || text == "" {
		problems = append(problems, "name is required")
	}
	for _, section := range []string{"datasets", "models", "embeddings", "views", "catalogs", "tools", "secrets"} {
		if value, given := m[section]; given && value != nil {
			if _, ok := value.([]any); !ok {
				problems = append(problems, section+" must be a list")
			}
		}
	}
	return append(problems, rowIDProblems(v)...)
}

func rowIDProblems(v any) []string {
	var problems []string
	switch v := v.(type) {
	case map[string]any:
		if id, given := v["row_id"]; given {
			if _, ok := id.([]any); !ok {
				problems = append(problems, "row_id must be a list")
			}
		}
		for _, value := range v {
			problems = append(problems, rowIDProblems(value)...)
		}
	case []any:
		for _, value := range v {
			problems = append(problems, rowIDProblems(value)...)
		}
	}
	return problems
}

// deploymentLogs is what the instances of one deployment wrote.
func deploymentLogs(s *state, c *call, a *app) reply {
	d, sp, refused := c.deployment(a)
	if refused != nil {
		return *refused
	}
	limit, refused := queryInt(c, "limit", 100, 1, 1000)
	if refused != nil {
		return *refused
	}
	var since time.Time
	if text := c.query.Get("since"); text != "" {
		parsed, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return *refusef(http.StatusBadRequest, "Query parameter since must be an RFC 3339 time")
		}
		since = parsed
	}
	type line struct {
		Timestamp string `json:"timestamp"`
		Level     string `json:"level"`
		Message   string `json:"message"`
		Source    string `json:"source"`
	}
	list := []line{}
	if reached(sp.start, c.now) && !sp.start.Add(s.settings.ClockSkew).Before(since) {
		for _, text := range s.logLines(a, d, sp, c.now) {
			list = append(list, line{Timestamp: s.stamp(sp.start), Level: "INFO", Message: text, Source: a.instanceName(d, 1)})
		}
	}
	return replyJSON(http.StatusOK, map[string]any{"logs": page(list, 0, limit)})
}

// instanceName is unique for a deployment's replica.
func (a *app) instanceName(d *deployment, replica int) string {
	return "app-" + strconv.FormatInt(a.id, 10) + "-" + strconv.FormatInt(d.id, 10) + "-" + strconv.Itoa(replica)
}

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
