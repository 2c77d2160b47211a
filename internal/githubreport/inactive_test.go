package githubreport_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDeactivate(t *testing.T) {
	t.Parallel()

	made := func() []map[string]any {
		return []map[string]any{{"task": "deploy:shop"}, {"task": "deploy:shop-pr-7"}, {"task": "deploy:shop"}, {"task": "smoke"}}
	}
	t.Run("of_one_app", func(t *testing.T) {
		t.Parallel()
		g := (&gitHub{granted: allPermissions(), deployments: made()}).start(t)
		if err := g.client(t).Deactivate(t.Context(), "shop", logURL); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"503 inactive", "501 inactive"}, g.told); diff != "" {
			t.Errorf("statuses (-want, +got):\n%s", diff)
		}
	})
	t.Run("of_none", func(t *testing.T) {
		t.Parallel()
		g := (&gitHub{granted: allPermissions(), deployments: made()}).start(t)
		if err := g.client(t).Deactivate(t.Context(), "other", logURL); err != nil || len(g.told) != 0 {
			t.Errorf("expected nothing to do, got %v and %v", g.told, err)
		}
	})
	t.Run("without_the_permission", func(t *testing.T) {
		t.Parallel()
		g := (&gitHub{deployments: made()}).start(t)
		err := g.client(t).Deactivate(t.Context(), "shop", logURL)
		if err == nil || !strings.Contains(err.Error(), `list the GitHub Deployments of "shop" in acme/shop: 403 `) || !strings.Contains(err.Error(), "deployments: write") {
			t.Errorf("expected the permission to be named, got %v", err)
		}
	})
	t.Run("one_of_two_fails", func(t *testing.T) {
		t.Parallel()
		g := &gitHub{granted: allPermissions(), deployments: made()}
		g.before = func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, "/503/statuses") {
				refuse(w, http.StatusBadGateway, "Server Error")
				return true
			}
			return false
		}
		g.start(t)
		err := g.client(t).Deactivate(t.Context(), "shop", logURL)
		if err == nil || !strings.Contains(err.Error(), "1 of 2 were marked: 502 Server Error") {
			t.Errorf("expected one failure, got %v", err)
		}
		if diff := cmp.Diff([]string{"501 inactive"}, g.told); diff != "" {
			t.Errorf("statuses (-want, +got):\n%s", diff)
		}
	})
}
