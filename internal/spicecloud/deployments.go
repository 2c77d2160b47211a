package spicecloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Status is the state of a deployment.
type Status string

// The states. Succeeded, Failed and Created are final, unless no newer deployment exists where Created is read.
// Spice Cloud documents Created as "replaced by a newer deployment". Unknown is every other word and means that
// it is still running.
const (
	Queued     Status = "queued"
	InProgress Status = "in_progress"
	Succeeded  Status = "succeeded"
	Failed     Status = "failed"
	Created    Status = "created"
	Unknown    Status = "unknown"
)

// statuses maps the service's words, in lower case, with the aliases that the vendor's own client knows.
var statuses = map[string]Status{
	"queued": Queued, "in_progress": InProgress, "created": Created,
	"succeeded": Succeeded, "success": Succeeded, "completed": Succeeded,
	"failed": Failed, "error": Failed, "cancelled": Failed, "canceled": Failed,
}

// Deployment is a deployment. All but ID may be empty; times are in UTC and zero where they are not known.
type Deployment struct {
	ID        int64
	Status    Status
	RawStatus string // the service's own word

	CreatedAt, StartedAt, FinishedAt time.Time

	ImageTag, Channel                string
	Replicas                         int
	Branch, CommitSHA, CommitMessage string
	ErrorCode, ErrorMessage          string // may be set while it is still in progress
	CreationSource                   string // such as api
}

// NewDeployment is a deployment to be; what is empty is left to the service.
type NewDeployment struct {
	ImageTag      string `json:"image_tag,omitempty"`
	Channel       string `json:"channel,omitempty"`
	Replicas      int    `json:"replicas,omitempty"`
	Branch        string `json:"branch,omitempty"`
	CommitSHA     string `json:"commit_sha,omitempty"`
	CommitMessage string `json:"commit_message,omitempty"`
	Debug         *bool  `json:"debug,omitempty"`
}

// DeploymentQuery selects deployments; what is 0 or empty is left to the service, whose documented default is 20
// and whose maximum is 100.
type DeploymentQuery struct {
	Limit  int
	Status string
	Offset int
}

// DeploymentList is one page of deployments, newest first.
type DeploymentList struct {
	Deployments []Deployment
	ServerTime  time.Time // by the server's clock, to the second; zero where it does not say
}

// What is known of the route to a single deployment; the zero value is that nothing is.
const (
	hasByID int32 = iota + 1
	lacksByID
)

// followPages is how many pages of 100 are searched for a deployment where its own route is missing.
const followPages = 10

// Deployments lists deployments of the app.
func (c *Client) Deployments(ctx context.Context, appID int64, query DeploymentQuery) (DeploymentList, error) {
	values := url.Values{}
	if query.Limit > 0 {
		values.Set("limit", strconv.Itoa(query.Limit))
	}
	if query.Status != "" {
		values.Set("status", query.Status)
	}
	if query.Offset > 0 {
		values.Set("offset", strconv.Itoa(query.Offset))
	}
	return fetch(ctx, c, get(deploymentsPath(appID), values), func(a answer) (DeploymentList, error) {
		items, err := readItems(a, readDeployment, "deployments")
		if err != nil {
			return DeploymentList{}, err
		}
		list := DeploymentList{Deployments: items}
		if date, err := http.ParseTime(a.header.Get("Date")); err == nil {
			list.ServerTime = date.UTC()
		}
		return list, nil
	})
}

// Deployment is one deployment of the app. Its own route is newer than many servers; where it answers 404 or 405
// the list is searched, back to the 1,000th. The error is [ErrNotListed] where the deployment is in neither.
func (c *Client) Deployment(ctx context.Context, appID, id int64) (Deployment, error) {
	known := c.byID.Load()
	if known != lacksByID {
		d, err := fetch(ctx, c, get(deploymentsPath(appID)+"/"+strconv.FormatInt(id, 10), nil), readThisDeployment(id))
		if err == nil {
			c.byID.Store(hasByID)
			return d, nil
		}
		if !noRoute(err) {
			return Deployment{}, err
		}
	}
	d, err := c.findDeployment(ctx, appID, id)
	if err == nil && known != hasByID {
		// It is there and its own route does not know it: so there is no such route.
		c.byID.Store(lacksByID)
	}
	return d, err
}

func (c *Client) findDeployment(ctx context.Context, appID, id int64) (Deployment, error) {
	seen := map[int64]bool{}
	for page := range followPages {
		list, err := c.Deployments(ctx, appID, DeploymentQuery{Limit: pageSize, Offset: page * pageSize})
		if err != nil {
			return Deployment{}, err
		}
		before := len(seen)
		for _, d := range list.Deployments {
			if d.ID == id {
				return d, nil
			}
			seen[d.ID] = true
		}
		if len(list.Deployments) < pageSize || len(seen) == before {
			break
		}
	}
	return Deployment{}, fmt.Errorf("deployment %d of app %d: %w", id, appID, ErrNotListed)
}

// CreateDeployment deploys what the app has stored. It is not repeatable: where the answer is lost the error is a
// [LostAnswerError].
func (c *Client) CreateDeployment(ctx context.Context, appID int64, deployment NewDeployment) (Deployment, error) {
	r, err := send(http.MethodPost, deploymentsPath(appID), deployment)
	if err != nil {
		return Deployment{}, fmt.Errorf("create a deployment of app %d: %w", appID, err)
	}
	r.create = true
	return fetch(ctx, c, r, object(readDeployment))
}

func deploymentsPath(appID int64) string { return appPath(appID) + "/deployments" }

// readThisDeployment refuses another deployment than the one asked for: a cache on the way may mix them up.
func readThisDeployment(id int64) func(answer) (Deployment, error) {
	return object(func(raw json.RawMessage) (Deployment, error) {
		d, err := readDeployment(raw)
		if err == nil && d.ID != id {
			err = fmt.Errorf("it is about another deployment, %d", d.ID)
		}
		return d, err
	})
}

func readDeployment(raw json.RawMessage) (Deployment, error) {
	var wire struct {
		ID           whole   `json:"id"`
		Status       text    `json:"status"`
		Created      instant `json:"created_at"`
		Started      instant `json:"started_at"`
		Finished     instant `json:"finished_at"`
		ImageTag     text    `json:"image_tag"`
		Channel      text    `json:"channel"`
		Replicas     whole   `json:"replicas"`
		Branch       text    `json:"branch"`
		Commit       text    `json:"commit_sha"`
		Message      text    `json:"commit_message"`
		ErrorCode    text    `json:"error_code"`
		ErrorMessage text    `json:"error_message"`
		Error        text    `json:"error"` // what the vendor's GitHub action reads
		Source       text    `json:"creation_source"`
	}
	if err := unmarshalObject(raw, &wire); err != nil {
		return Deployment{}, err
	}
	if wire.ID <= 0 {
		return Deployment{}, errors.New(`it is not the JSON expected: it has no "id"`)
	}
	status, ok := statuses[strings.ToLower(strings.TrimSpace(string(wire.Status)))]
	if !ok {
		status = Unknown
	}
	if wire.ErrorMessage == "" {
		wire.ErrorMessage = wire.Error
	}
	return Deployment{
		ID: int64(wire.ID), Status: status, RawStatus: string(wire.Status),
		CreatedAt: wire.Created.Time, StartedAt: wire.Started.Time, FinishedAt: wire.Finished.Time,
		ImageTag: string(wire.ImageTag), Channel: string(wire.Channel), Replicas: int(wire.Replicas),
		Branch: string(wire.Branch), CommitSHA: string(wire.Commit), CommitMessage: string(wire.Message),
		ErrorCode: string(wire.ErrorCode), ErrorMessage: string(wire.ErrorMessage), CreationSource: string(wire.Source),
	}, nil
}
