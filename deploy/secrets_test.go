package deploy_test

import (
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
	"github.com/spicedeploy/spice-deploy/internal/redact"
)

func TestRun_missingSecrets(t *testing.T) {
	t.Parallel()
	needs := func(names ...string) func(*stage) {
		return func(s *stage) { s.spicepod = manifest("ours", names...) }
	}
	deploymentsOnly := func(s *stage) {
		s.spicepod = manifest("ours", "PG_PASS")
		s.client.Token = redact.New(s.cloud.MintToken(emulator.TokenSpec{Name: "default", Scopes: []string{"apps:write", "deployments:write"}}))
	}
	playAll(t, []scene{
		{
			name: "fail", args: "--missing-secrets fail", given: needs("PG_PASS", "S3_KEY"),
			result: diag.InvalidInput, exit: 2,
			reason: "the spicepod refers to secrets that are neither given nor in the app: PG_PASS, S3_KEY", hint: "add PG_PASS, S3_KEY to secrets", took: "0s",
		},
		{
			name: "warn", given: needs("PG_PASS"),
			result: diag.Succeeded, log: []string{"secrets: warning: the spicepod refers to secrets that are neither given nor in the app: PG_PASS; unless an organization secret"},
			writes: happy, history: ours("succeeded"), took: "4s-5s",
		},
		{
			name: "ignore", args: "--missing-secrets ignore", given: needs("PG_PASS"),
			result: diag.Succeeded, silent: []string{"PG_PASS"}, writes: happy, history: ours("succeeded"), took: "4s-5s",
			also: func(s *stage, e ended) {
				if len(e.Plan.MissingSecrets) != 1 {
					s.Errorf("plan: got %v", e.Plan.MissingSecrets)
				}
			},
		},
		{
			name: "none", args: "--missing-secrets fail",
			given: func(s *stage) {
				s.spicepod = manifest("ours", "PG_PASS", "S3_KEY")
				s.app.Secrets = map[string]string{"PG_PASS": "there"}
				s.secrets.Block = redact.New("S3_KEY=given")
			},
			result: diag.Succeeded, writes: []string{"PUT app", "POST app/secrets", "POST app/deployments"}, history: ours("succeeded"), took: "4s-5s",
		},
		{
			name: "looked_up_in_upper_case", args: "--missing-secrets fail",
			given: func(s *stage) {
				s.spicepod = manifest("ours", "pg_pass")
				s.app.Secrets = map[string]string{"PG_PASS": "there"}
			},
			result: diag.Succeeded, writes: happy, history: ours("succeeded"), took: "4s-5s",
		},
		{
			name: "stored_in_lower_case", args: "--missing-secrets fail",
			given: func(s *stage) {
				s.spicepod = manifest("ours", "pg_pass")
				s.secrets.Block = redact.New("pg_pass=given")
			},
			result: diag.InvalidInput, exit: 2, reason: "PG_PASS (there is pg_pass, but the runtime looks for upper case)", took: "0s",
		},
		{
			name: "token_that_may_not_list_them", given: deploymentsOnly,
			result: diag.Succeeded, log: []string{"secrets: notice: whether the app has the secrets that the spicepod refers to was not checked: the token lacks the scope secrets:read"},
			writes: happy, history: ours("succeeded"), took: "4s-5s",
		},
		{
			name: "token_that_may_not_list_them_and_has_to", args: "--missing-secrets fail", given: deploymentsOnly,
			result: diag.AuthError, exit: 3, reason: "read the names of the secrets of app 101", hint: "the scope secrets:read", took: "0s",
		},
		{
			name: "token_that_may_not_write_them",
			given: func(s *stage) {
				deploymentsOnly(s)
				s.secrets.Block = redact.New("PG_PASS=given")
			},
			result: diag.AuthError, exit: 3, reason: "insufficient_scope", hint: "the scope secrets:read", took: "0s",
		},
	})
}

func TestRun_secretsPartlyWritten(t *testing.T) {
	t.Parallel()
	three := func(fault emulator.Fault) func(*stage) {
		return func(s *stage) {
			s.secrets.Block = redact.New("AAA=one value\nBBB=two value\nCCC=three value")
			fault.Method, fault.Path, fault.Secret = "POST", "/secrets", "BBB"
			s.faults(fault)
		}
	}
	playAll(t, []scene{
		{
			name: "one_is_refused", given: three(emulator.Fault{Status: 422, Body: `{"error":"too long"}`, Delay: time.Second}),
			result: diag.Rejected, exit: 8,
			reason: `app "shop-app": write secrets: BBB … 422 … too long … written: AAA, CCC; not written: BBB … the spicepod was updated, 2 secrets written`, hint: "run the job again",
			writes: []string{"PUT app", "POST app/secrets ×2", "POST app/secrets 422"}, took: "1s",
			also: func(s *stage, e ended) { wantSecrets(s, e, "AAA created", "BBB not-written", "CCC created") },
		},
		{
			name: "one_is_too_large",
			given: func(s *stage) {
				s.secrets.Block = redact.New("AAA=one value")
				s.faults(emulator.Fault{Method: "POST", Path: "/secrets", Status: 413})
			},
			result: diag.Rejected, exit: 8, reason: "413 … written: none; not written: AAA; the spicepod was updated", hint: "make the spicepod or the secret smaller",
			writes: []string{"PUT app", "POST app/secrets 413"}, took: "0s",
		},
		{
			name: "one_never_gets_an_answer", args: "--timeout-seconds 60", given: three(emulator.Fault{Kind: emulator.Lost, AfterEffect: true, Times: -1}),
			result: diag.Unavailable, exit: 5, reason: "written: AAA, CCC; may or may not have been written: BBB; not written: none", hint: "run the job again",
			writes: []string{"PUT app", "POST app/secrets ×2", "POST app/secrets cut ×*"}, took: "1m",
			also: func(s *stage, e ended) { wantSecrets(s, e, "AAA created", "BBB unknown", "CCC created") },
		},
		{
			name: "one_works_the_second_time", given: three(emulator.Fault{Status: 503, Headers: emulator.Headers{"Retry-After": "2"}}),
			result: diag.Succeeded,
			writes: []string{"PUT app", "POST app/secrets ×3", "POST app/secrets 503", "POST app/deployments"}, history: ours("succeeded"), took: "6s-7s",
		},
		{
			name: "nothing_was_changed_before_and_no_answers_come",
			given: func(s *stage) {
				s.spicepod = ""
				s.secrets.Block = redact.New("AAA=one value")
				s.faults(emulator.Fault{Method: "POST", Path: "/secrets", Status: 503, Times: -1})
			},
			result: diag.Unavailable, exit: 5, reason: "gave up after", hint: "check the network",
			writes: []string{"POST app/secrets 503 ×*"}, took: "55s-1m0s",
		},
	})
}

func TestRun_prune(t *testing.T) {
	t.Parallel()
	given := func(s *stage) {
		s.spicepod = manifest("ours", "referred_to")
		s.app.Secrets = map[string]string{"GIVEN": "x", "REFERRED_TO": "x", "KEEP_ME": "x", "OLD_ONE": "x", "OLD_TWO": "x"}
		s.secrets.Block, s.secrets.Exclude = redact.New("GIVEN=new value"), []string{"KEEP_*"}
	}
	before := []string{"PUT app", "POST app/secrets", "POST app/deployments"}
	left := func(names ...string) func(*stage, ended) {
		return func(s *stage, _ ended) {
			s.Helper()
			for _, name := range names {
				if _, ok := s.cloud.SecretValue(101, name); !ok {
					s.Errorf("%s is gone", name)
				}
			}
			if got := s.cloud.App(101).Secrets; len(got) != len(names) {
				s.Errorf("left: got %v, want %v", got, names)
			}
		}
	}
	all := left("GIVEN", "KEEP_ME", "OLD_ONE", "OLD_TWO", "REFERRED_TO")
	playAll(t, []scene{
		{
			name: "after_success", args: "--secrets-prune", given: given,
			result: diag.Succeeded, log: []string{"deployment: 1002 succeeded", "prune: 2 secrets deleted: OLD_ONE, OLD_TWO"},
			writes: append(before, "DELETE app/secrets/OLD_ONE", "DELETE app/secrets/OLD_TWO"), history: ours("succeeded"), took: "4s-5s",
			also: func(s *stage, e ended) {
				left("GIVEN", "KEEP_ME", "REFERRED_TO")(s, e)
				wantSecrets(s, e, "GIVEN updated", "KEEP_ME excluded", "REFERRED_TO kept", "OLD_ONE deleted", "OLD_TWO deleted")
			},
		},
		{
			name: "not_after_failure", args: "--secrets-prune",
			given: func(s *stage) {
				given(s)
				s.outcomes(emulator.Outcome{Status: "failed"})
			},
			result: diag.Failed, exit: 1, writes: before, history: ours("failed"), took: "4s-5s", also: all,
		},
		{
			name: "not_where_the_end_was_not_seen", args: "--secrets-prune --wait-for-completion=false", given: given,
			result: diag.Submitted, writes: before, history: ours("queued"), took: "0s", also: all,
		},
		{
			name: "not_unless_asked_for", given: given,
			result: diag.Succeeded, writes: before, history: ours("succeeded"), took: "4s-5s", also: all,
		},
		{
			name: "failing_is_a_warning", args: "--secrets-prune",
			given: func(s *stage) {
				given(s)
				s.faults(emulator.Fault{Method: "DELETE", Path: "/secrets/*", Times: -1, Status: 403, Body: `{"error":"no"}`, Delay: time.Second})
			},
			result: diag.Succeeded, log: []string{"prune: warning: the deployment succeeded, but not all secrets that are no longer given could be deleted … 403 … still there: OLD_ONE, OLD_TWO"},
			writes: append(before, "DELETE app/secrets/OLD_ONE 403", "DELETE app/secrets/OLD_TWO 403"), history: ours("succeeded"), took: "5s-6s",
			also: all,
		},
	})
}
