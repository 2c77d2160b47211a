package spicecloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"unicode/utf8"

	"github.com/spicedeploy/spice-deploy/internal/redact"
)

// Secrets lists the names of the app's own secrets, up to 10,000. Their values can never be read back, and secrets
// that an organization shares with the app are not among them.
func (c *Client) Secrets(ctx context.Context, appID int64) ([]string, error) {
	return everyPage(ctx, c, secretsPath(appID), readSecretNames, func(name string) string { return name })
}

func readSecretNames(a answer) ([]string, error) {
	return readItems(a, func(raw json.RawMessage) (string, error) {
		var secret struct {
			Name text `json:"name"`
		}
		if err := unmarshalObject(raw, &secret); err != nil {
			return "", err
		}
		if secret.Name == "" {
			return "", errors.New(`it is not the JSON expected: it has no "name"`)
		}
		return string(secret.Name), nil
	}, "secrets")
}

// PutSecret writes a secret, whether or not it is there already. The value reaches the service byte for byte, so
// one that is not valid UTF-8, which JSON cannot carry, is an error.
func (c *Client) PutSecret(ctx context.Context, appID int64, name string, value redact.Secret) error {
	plain := value.Reveal()
	if !utf8.ValidString(plain) {
		return fmt.Errorf("write secret %q: its value is not valid UTF-8; encode it, for instance as base64", name)
	}
	r, err := send(http.MethodPost, secretsPath(appID), map[string]string{"name": name, "value": plain})
	if err != nil {
		return fmt.Errorf("write secret %q: %w", name, err)
	}
	r.secrets, r.label, r.many = []string{plain}, name, true
	return c.call(ctx, r, func(a answer) error {
		var ignored struct{}
		return readObject(a, &ignored)
	})
}

// DeleteSecret deletes a secret. One that is not there is no error.
func (c *Client) DeleteSecret(ctx context.Context, appID int64, name string) error {
	path := secretsPath(appID) + "/" + url.PathEscape(name)
	err := c.call(ctx, request{method: http.MethodDelete, path: path, project: true, many: true}, readAck)
	if refused, ok := errors.AsType[*APIError](err); ok && refused.Status == http.StatusNotFound {
		return nil
	}
	return err
}

func secretsPath(appID int64) string { return appPath(appID) + "/secrets" }
