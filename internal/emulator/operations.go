package emulator

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// pauseApp stops the runtime and keeps everything else. The shape of the reply is not documented; any 2xx says
// that it is done.
func pauseApp(s *state, c *call, a *app) reply {
	a.paused, a.pausedAt = true, c.now
	return replyJSON(http.StatusOK, s.wire(c, a, false))
}

// resumeApp deploys by itself. When the deployment is refused, the app stays paused.
func resumeApp(s *state, c *call, a *app) reply {
	if !a.paused {
		return *refusef(http.StatusConflict, "Project is not paused")
	}
	d := &deployment{channel: a.updateChannel, imageTag: a.imageTag, replicas: a.replicas}
	if refused := s.deploy(c, a, d); refused != nil {
		return *refused
	}
	a.paused = false
	return replyJSON(http.StatusOK, map[string]int64{"deployment_id": d.id})
}

// instance is a running or starting copy of the runtime.
type instance struct {
	name, status string
	started      time.Time
	deployment   *deployment
	span         span
}

// instances is newest first: those of deployments whose rollout has not come to its end and those of the one
// that serves.
func (s *state) instances(a *app, now time.Time) []instance {
	list := []instance{}
	serving, _ := s.serving(a, now)
	for i, sp := range slices.Backward(a.spans()) {
		d, status := a.deployments[i], "ready"
		switch {
		case d.status(sp, now) == inProgress, s.hangs(a, d, sp, now):
			status = "starting"
		case d != serving:
			continue
		}
		for replica := range d.replicas {
			list = append(list, instance{name: a.instanceName(d, replica+1), status: status, started: sp.start, deployment: d, span: sp})
		}
	}
	return list
}

// hangs tells whether a deployment succeeded and the one before goes on serving all the same.
func (s *state) hangs(a *app, d *deployment, sp span, now time.Time) bool {
	serving, _ := s.serving(a, now)
	return serving != nil && d.id > serving.id && d.succeededBy(sp, now)
}

func (s *state) instancesOrRefusal(a *app, now time.Time) ([]instance, *reply) {
	started := slices.ContainsFunc(a.spans(), func(sp span) bool { return reached(sp.start, now) })
	switch {
	case a.paused:
		return nil, refuse(http.StatusConflict, "project_paused", "The project is paused")
	case !started:
		return nil, refuse(http.StatusConflict, "project_not_deployed", "The project has not been deployed")
	}
	return s.instances(a, now), nil
}

func listInstances(s *state, c *call, a *app) reply {
	list, refused := s.instancesOrRefusal(a, c.now)
	if refused != nil {
		return *refused
	}
	type wireInstance struct {
		Name      string `json:"name"`
		Status    string `json:"status"`
		StartedAt string `json:"started_at"`
	}
	wire := []wireInstance{}
	for _, in := range list {
		wire = append(wire, wireInstance{Name: in.name, Status: in.status, StartedAt: s.stamp(in.started)})
	}
	return replyJSON(http.StatusOK, map[string]any{"instances": wire})
}

// instanceLogs is the latest lines, oldest first.
func instanceLogs(s *state, c *call, a *app) reply {
	list, refused := s.instancesOrRefusal(a, c.now)
	if refused != nil {
		return *refused
	}
	tail, refused := queryInt(c, "tail", 100, 1, 1<<31-1)
	if refused != nil {
		return *refused
	}
	if tail > s.settings.MaxLogTail {
		return replyJSON(http.StatusForbidden, wireError{
			Error: fmt.Sprintf("Your plan allows at most %d lines", s.settings.MaxLogTail), Code: "plan_limit", MaxTail: s.settings.MaxLogTail,
		})
	}
	i := slices.IndexFunc(list, func(in instance) bool { return in.name == c.params[1] })
	if i < 0 {
		return *refuse(http.StatusNotFound, "instance_not_found", "Instance not found")
	}
	lines := s.logLines(a, list[i].deployment, list[i].span, c.now)
	return replyJSON(http.StatusOK, map[string]any{"lines": lines[max(0, len(lines)-tail):]})
}

// metrics are made up, but of the documented shape: one entry for each instance that is ready.
func metrics(s *state, c *call, a *app) reply {
	type wireMetrics struct {
		CPU    *float64 `json:"cpu_usage_percent"`
		Memory *int64   `json:"memory_usage_bytes"`
	}
	list := map[string]wireMetrics{}
	for _, in := range s.instances(a, c.now) {
		if in.status == "ready" {
			list[in.name] = wireMetrics{CPU: new(12.5), Memory: new(int64(256 << 20))}
		}
	}
	return replyJSON(http.StatusOK, map[string]any{"metrics": list, "ingestion": nil, "cluster": nil})
}
