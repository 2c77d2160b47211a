package deploy_test

import (
	"testing"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

func TestDelete(t *testing.T) {
	t.Parallel()
	// deletes is a run that deletes the app.
	deletes := func(then func(*stage)) func(*stage) {
		return func(s *stage) {
			s.delete = true
			if then != nil {
				then(s)
			}
		}
	}
	gone := func(s *stage, _ ended) {
		if !s.cloud.App(101).Deleted {
			s.Error("the app is still there")
		}
	}
	playAll(t, []scene{
		{
			name: "by_its_name", args: "--app-name SHOP-app", given: deletes(nil),
			result: diag.Succeeded, reason: `app "shop-app" (id 101) was deleted with its deployments, keys and secrets`,
			writes: []string{"DELETE app"}, took: "0s", also: gone,
		},
		{
			name: "by_its_id", args: "--app-id 101", given: deletes(nil),
			result: diag.Succeeded, reason: `app "shop-app" (id 101) was deleted`, writes: []string{"DELETE app"}, took: "0s", also: gone,
		},
		{
			name: "paused", given: deletes(func(s *stage) { s.app.Paused = true }),
			result: diag.Succeeded, reason: "was deleted", writes: []string{"DELETE app"}, took: "0s", also: gone,
		},
		{
			name: "no_app_of_the_name", args: "--app-name gone-app", given: deletes(nil),
			result: diag.Skipped, reason: `there is no app "gone-app" … nothing to delete`, took: "0s",
		},
		{
			name: "no_app_of_the_name_though_one_would_be_created", args: "--app-name gone-app --create-app-if-missing --region us-east-1", given: deletes(nil),
			result: diag.Skipped, reason: `there is no app "gone-app"`, took: "0s",
		},
		{
			name: "no_app_of_the_id", args: "--app-id 4711", given: deletes(nil),
			result: diag.Skipped, reason: "there is no app with the id 4711: nothing to delete", took: "0s",
		},
		{
			name: "deleted_by_others_meanwhile",
			given: deletes(func(s *stage) {
				s.before("DELETE", "/projects/101", 1, func() { s.othersSend("DELETE", "/v1/projects/101", "") })
			}),
			result: diag.Skipped, reason: "nothing to delete", writes: []string{"DELETE app 404"}, took: "0s", also: gone,
		},
		{
			name: "answer_cut_after_the_effect", given: deletes(spoilt(emulator.Fault{Method: "DELETE", Kind: emulator.Lost, AfterEffect: true})),
			result: diag.Succeeded, reason: "was deleted", writes: []string{"DELETE app cut", "DELETE app 404"}, took: "0s-1s", also: gone,
		},
		{
			name: "not_allowed",
			given: deletes(func(s *stage) {
				s.configure(func(st *emulator.Settings) { st.Scopes = []string{"apps:write"} })
			}),
			result: diag.AuthError, exit: 3, reason: "insufficient_scope", hint: "the scope apps:delete",
			writes: []string{"DELETE app 403"}, took: "0s",
		},
		{
			name: "name_that_does_not_fit_the_id", args: "--app-id 101 --app-name stock-app", given: deletes(nil),
			result: diag.InvalidInput, exit: 2, reason: `app-id 101 is the app "shop-app", not "stock-app": nothing is deleted`, took: "0s",
		},
	})
}
