package spicecloud

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// App is an app, which the service also calls a project. All but ID and Name may be empty: lists carry less than
// a single app does, and editions of the service differ.
type App struct {
	ID         int64
	Name       string
	Kind       string // "managed" where Spice runs it
	Visibility string
	Endpoint   string // base URL or bare host of its runtime
	Region     string
	CName      string

	ProductionBranch string // not empty is a hint, no more, that the app is connected to GitHub
	Tags             map[string]string

	Spicepod      json.RawMessage // nil where there is none
	UpdateChannel string
	ImageTag      string
	Replicas      int
}

// NewApp is an app to be. Name and Region are required: without a region the service makes an app that it does
// not run.
type NewApp struct {
	Name       string            `json:"name"`
	Region     string            `json:"region"`
	Visibility string            `json:"visibility,omitempty"`
	Tags       map[string]string `json:"tags,omitempty"`
}

// AppUpdate is a change to an app. What is nil stays as it is.
type AppUpdate struct {
	Spicepod *string           // YAML
	Tags     map[string]string // replaces all tags of the app
}

// Apps lists the apps of the organization, up to 10,000; a list that goes on after that is an error.
func (c *Client) Apps(ctx context.Context) ([]App, error) {
	return everyPage(ctx, c, "", readApps, func(app App) int64 { return app.ID })
}

// App is the app with its configuration.
func (c *Client) App(ctx context.Context, id int64) (App, error) {
	return fetch(ctx, c, get(appPath(id), nil), readThisApp(id))
}

// CreateApp makes an app. It is not repeatable: where the answer is lost the error is a [LostAnswerError].
func (c *Client) CreateApp(ctx context.Context, app NewApp) (App, error) {
	r, err := send(http.MethodPost, "", app)
	if err != nil {
		return App{}, fmt.Errorf("create app %q: %w", app.Name, err)
	}
	r.create = true
	return fetch(ctx, c, r, object(readApp))
}

// UpdateApp changes the app and returns it as it is afterwards.
func (c *Client) UpdateApp(ctx context.Context, id int64, update AppUpdate) (App, error) {
	body := map[string]any{}
	if update.Spicepod != nil {
		body["spicepod"] = *update.Spicepod
	}
	if update.Tags != nil {
		body["tags"] = update.Tags
	}
	r, err := send(http.MethodPut, appPath(id), body)
	if err != nil {
		return App{}, fmt.Errorf("update app %d: %w", id, err)
	}
	return fetch(ctx, c, r, readThisApp(id))
}

// DeleteApp deletes the app with all that belongs to it.
func (c *Client) DeleteApp(ctx context.Context, id int64) error {
	err := c.call(ctx, request{method: http.MethodDelete, path: appPath(id), project: true}, readAck)
	if refused, ok := errors.AsType[*APIError](err); ok && refused.Status == http.StatusNotFound && refused.AfterLoss {
		return nil // the attempt before has done it
	}
	return err
}

// ResumeApp resumes a paused app. That starts a deployment by itself, whose id it returns. It is not repeatable:
// where the answer is lost, or names no deployment, the error is a [LostAnswerError].
func (c *Client) ResumeApp(ctx context.Context, id int64) (int64, error) {
	r := request{method: http.MethodPost, path: appPath(id) + "/resume", project: true, body: []byte("{}"), create: true}
	return fetch(ctx, c, r, func(a answer) (int64, error) {
		var body struct {
			Deployment whole `json:"deployment_id"`
		}
		if err := readObject(a, &body); err != nil {
			return 0, err
		}
		if body.Deployment <= 0 {
			return 0, errors.New(`it is not the JSON expected: it has no "deployment_id"`)
		}
		return int64(body.Deployment), nil
	})
}

// Paused tells whether the app is paused. The service says so only when it is asked for the app's instances. It
// is asked once, and every other answer is an error.
func (c *Client) Paused(ctx context.Context, id int64) (bool, error) {
	_, err := c.Instances(ctx, id)
	if refused, ok := errors.AsType[*APIError](err); ok && refused.Status == http.StatusConflict {
		switch refused.Code {
		case "project_paused":
			return true, nil
		case "project_not_deployed":
			return false, nil
		}
	}
	return false, err
}

func appPath(id int64) string { return "/" + strconv.FormatInt(id, 10) }

// get is a request that reads, below the routes of the projects.
func get(path string, query url.Values) request {
	return request{method: http.MethodGet, path: path, project: true, query: query}
}

// send is a request with a body, below the routes of the projects.
func send(method, path string, body any) (request, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return request{}, fmt.Errorf("encode the request: %w", err)
	}
	return request{method: method, path: path, project: true, body: raw}, nil
}

// readThisApp refuses another app than the one asked for: a cache on the way may mix them up.
func readThisApp(id int64) func(answer) (App, error) {
	return object(func(raw json.RawMessage) (App, error) {
		app, err := readApp(raw)
		if err == nil && app.ID != id {
			err = fmt.Errorf("it is about another app, %d", app.ID)
		}
		return app, err
	})
}

// readApps reads the list under the key of either family of routes.
func readApps(a answer) ([]App, error) { return readItems(a, readApp, "projects", "apps") }

func readApp(raw json.RawMessage) (App, error) {
	var wire struct {
		ID         whole           `json:"id"`
		Name       text            `json:"name"`
		Kind       text            `json:"kind"`
		Visibility text            `json:"visibility"`
		Endpoint   text            `json:"endpoint"`
		Region     text            `json:"region"`
		CName      text            `json:"cname"`
		Branch     text            `json:"production_branch"`
		Tags       json.RawMessage `json:"tags"`
		Config     json.RawMessage `json:"config"`
	}
	if err := unmarshalObject(raw, &wire); err != nil {
		return App{}, err
	}
	if wire.ID <= 0 {
		return App{}, errors.New(`it is not the JSON expected: it has no "id"`)
	}
	var config struct {
		Spicepod json.RawMessage `json:"spicepod"`
		Channel  text            `json:"update_channel"`
		ImageTag text            `json:"image_tag"`
		Region   text            `json:"region"`
		Replicas whole           `json:"replicas"`
	}
	_ = json.Unmarshal(wire.Config, &config) // absent in lists
	tags, err := readTags(wire.Tags)
	if err != nil {
		return App{}, err
	}
	if wire.Region == "" {
		wire.Region = config.Region
	}
	if bytes.Equal(config.Spicepod, []byte("null")) {
		config.Spicepod = nil
	}
	return App{
		ID: int64(wire.ID), Name: string(wire.Name), Kind: string(wire.Kind), Visibility: string(wire.Visibility),
		Endpoint: string(wire.Endpoint), Region: string(wire.Region), CName: string(wire.CName),
		ProductionBranch: string(wire.Branch), Tags: tags, Spicepod: config.Spicepod,
		UpdateChannel: string(config.Channel), ImageTag: string(config.ImageTag), Replicas: int(config.Replicas),
	}, nil
}

// readTags is strict where the rest is tolerant: tags are written back as a whole, so those that could not be
// read would be lost.
func readTags(raw json.RawMessage) (map[string]string, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var wire map[string]text
	if err := json.Unmarshal(raw, &wire); err != nil {
		return nil, errors.New(`it is not the JSON expected: "tags" is not a map`)
	}
	if len(wire) == 0 {
		return nil, nil
	}
	tags := make(map[string]string, len(wire))
	for key, value := range wire {
		tags[key] = string(value)
	}
	return tags, nil
}
