package spicecloud

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
)

// Instance is a copy of the runtime, running or starting.
type Instance struct {
	Name   string
	Status string // the service's own word; "ready" where it serves
}

// Instances lists the instances of the app, newest first. It asks once: whoever looks at instances wants to
// explain something, and an explanation is not worth a wait.
func (c *Client) Instances(ctx context.Context, appID int64) ([]Instance, error) {
	r := get(appPath(appID)+"/instances", nil)
	r.once = true
	return fetch(ctx, c, r, func(a answer) ([]Instance, error) {
		return readItems(a, func(raw json.RawMessage) (Instance, error) {
			var wire struct {
				Name   text `json:"name"`
				Status text `json:"status"`
			}
			if err := unmarshalObject(raw, &wire); err != nil {
				return Instance{}, err
			}
			if wire.Name == "" {
				return Instance{}, errors.New(`it is not the JSON expected: it has no "name"`)
			}
			return Instance{Name: string(wire.Name), Status: string(wire.Status)}, nil
		}, "instances")
	})
}

// InstanceLog is the last lines of an instance's log, oldest first, tail of them or as many as the plan allows
// where that is fewer. Each is one line of at most 500 characters without control characters. It asks once.
func (c *Client) InstanceLog(ctx context.Context, appID int64, instance string, tail int) ([]string, error) {
	lines, err := c.instanceLog(ctx, appID, instance, tail)
	if refused, ok := errors.AsType[*APIError](err); ok && refused.Code == "plan_limit" && 0 < refused.MaxTail && refused.MaxTail < tail {
		return c.instanceLog(ctx, appID, instance, refused.MaxTail)
	}
	return lines, err
}

func (c *Client) instanceLog(ctx context.Context, appID int64, instance string, tail int) ([]string, error) {
	r := request{
		method: http.MethodGet, path: appPath(appID) + "/instances/" + url.PathEscape(instance) + "/logs", project: true,
		query: url.Values{"tail": {strconv.Itoa(tail)}}, once: true,
	}
	return fetch(ctx, c, r, func(a answer) ([]string, error) {
		return readItems(a, func(raw json.RawMessage) (string, error) {
			var said text
			if err := json.Unmarshal(raw, &said); err != nil {
				return "", err
			}
			return line(string(said)), nil
		}, "lines")
	})
}
