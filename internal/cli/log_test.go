package cli_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// TestMain_signsOfLifeDoNotAge has the run wait for another deployment, whose age in the log is true only once.
func TestMain_signsOfLifeDoNotAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud := newCloud(t, emulator.Options{})
		_, err := cloud.AddDeployment(101, emulator.Deployment{Age: time.Second, CommitSHA: "bada55e", Branch: "main", Outcome: emulator.Outcome{Queued: new(2 * time.Minute)}})
		if err != nil {
			t.Fatal(err)
		}
		s := newStep(t, cloud.Token())
		s.transport = cloud.Transport()
		l := s.run(t.Context(), t)

		signs := 0
		for line := range strings.Lines(l.stdout) {
			if !strings.HasPrefix(line, "waiting ") {
				continue
			}
			signs++
			if strings.Contains(line, " ago") {
				t.Errorf("the age is of another time in %q", line)
			}
		}
		if signs == 0 {
			t.Errorf("expected signs of life while it waits:\n%s", l.stdout)
		}
	})
}
