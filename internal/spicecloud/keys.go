package spicecloud

import (
	"context"

	"github.com/spicedeploy/spice-deploy/internal/redact"
)

// APIKeys are the app's keys to its runtime, the primary one first; there may be one, or none. They are good for
// the runtime only, and the runtime takes nothing else.
func (c *Client) APIKeys(ctx context.Context, appID int64) ([]redact.Secret, error) {
	return fetch(ctx, c, get(appPath(appID)+"/api-keys", nil), func(a answer) ([]redact.Secret, error) {
		var wire struct {
			Primary   text `json:"api_key"`
			Secondary text `json:"api_key_2"`
		}
		if err := readObject(a, &wire); err != nil {
			return nil, err
		}
		var keys []redact.Secret
		for _, key := range []text{wire.Primary, wire.Secondary} {
			if key == "" {
				continue
			}
			keys = append(keys, redact.New(string(key)))
			if c.onKey != nil {
				c.onKey(keys[len(keys)-1])
			}
		}
		return keys, nil
	})
}
