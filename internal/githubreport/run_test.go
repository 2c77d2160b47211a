package githubreport_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/config"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
	"github.com/spicedeploy/spice-deploy/internal/spicepod"
)

func stopped(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithCancel(t.Context())
}

// TestRecorder_ofARealRun lets the pipeline deploy to the emulator: the events are the real ones.
func TestRecorder_ofARealRun(t *testing.T) {
	t.Parallel()

	cases := []struct {
		name  string
		app   emulator.App
		args  string
		early int // how many GitHub Deployments there are when ours is asked for
		want  []string
	}{
		{
			"succeeds",
			emulator.App{Name: "shop"},
			"", 1,
			[]string{"queued: about to deploy", "in_progress: deployment 1001 is in_progress", "success: deployment 1001 succeeded"},
		},
		{
			"is_not_waited_for",
			emulator.App{Name: "shop"},
			"--wait-for-completion=false", 1,
			[]string{"queued: about to deploy", "queued: deployment 1001 was created; it was not waited for"},
		},
		{
			"waits_for_another_and_gives_up",
			emulator.App{Name: "shop", Deployments: []emulator.Deployment{{Age: time.Second, CommitSHA: "abc", Outcome: emulator.Outcome{Queued: new(time.Hour)}}}},
			"--on-conflict fail", 0, nil,
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := &gitHub{granted: allPermissions()}
				early := 0
				cloud := emulator.New(emulator.Options{Seed: 1, FaultFor: func(in emulator.Incoming) *emulator.Fault {
					if in.Method == "POST" && strings.HasSuffix(in.Path, "/deployments") {
						synctest.Wait() // until GitHub has been told all there is
						early = len(g.deployments)
					}
					return nil
				}})
				if _, err := cloud.AddApp(tc.app); err != nil {
					t.Fatal(err)
				}
				recorder := newClient(t, "", g.transport(t)).Record(t.Context(), recording())
				result := run(t, cloud, recorder, tc.args)
				if err := recorder.Finish(result); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tc.want, g.lines()); diff != "" {
					t.Errorf("statuses (-want, +got):\n%s", diff)
				}
				if early != tc.early {
					t.Errorf("expected %d GitHub Deployments at the create to be %d", early, tc.early)
				}
			})
		})
	}
}

func run(t *testing.T, cloud *emulator.Emulator, observer deploy.Observer, args string) deploy.Result {
	t.Helper()
	all := append([]string{"--app-name", "shop", "--commit-sha", commit, "--branch", "main", "--dataset-ready-timeout-seconds", "0"}, strings.Fields(args)...)
	options, err := config.Load("deploy", all, config.Env{})
	if err != nil {
		t.Fatal(err)
	}
	client, err := spicecloud.New(spicecloud.Config{
		BaseURL: "https://api.spice.test", Token: redact.New(cloud.Token()), Transport: cloud.Transport(), MaxPause: options.PollInterval, Seed: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := spicepod.Parse("spicepod.yaml", []byte("version: v1\nkind: Spicepod\nname: shop\n"))
	if err != nil {
		t.Fatal(err)
	}
	deployer := &deploy.Deployer{Cloud: client, Options: options, Manifest: manifest, Owner: "acme", Observer: observer}
	return deployer.Run(t.Context())
}
