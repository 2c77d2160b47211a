package ci_test

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spicedeploy/spice-deploy/internal/ci"
)

// long is outputs of which one takes much room, and twenty and more others.
func long(bytes int) []ci.Output {
	outs := []ci.Output{{Name: "plan", Value: strings.Repeat("x", bytes)}, {Name: "result", Value: "succeeded"}}
	for i := range 20 {
		outs = append(outs, ci.Output{Name: fmt.Sprintf("out-%d", i), Value: map[bool]string{true: "y"}[i < 10]})
	}
	return outs
}

func TestHost_outputs_have_limits(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		env  func(dir string) map[string]string
		size int
		file string // relative to dir, "" for all
		most int    // bytes of it
		err  string // "" where all has room
	}{
		{
			"GitLab", func(dir string) map[string]string {
				return map[string]string{"GITLAB_CI": "true", "CI_PROJECT_DIR": dir}
			},
			6000, "spice-deploy.env", 5119, "left out PLAN, for which a dotenv report of GitLab has no room; output-file takes all",
		},
		{
			"GitLab_just_fits", func(dir string) map[string]string {
				return map[string]string{"GITLAB_CI": "true", "CI_PROJECT_DIR": dir}
			},
			5016, "spice-deploy.env", 5119, "",
		},
		{
			"GitLab_one_too_many", func(dir string) map[string]string {
				return map[string]string{"GITLAB_CI": "true", "CI_PROJECT_DIR": dir}
			},
			5017, "spice-deploy.env", 5119, "left out PLAN, for which a dotenv report of GitLab has no room; output-file takes all",
		},
		{
			"GitLab_many", func(dir string) map[string]string {
				return map[string]string{"GITLAB_CI": "true", "CI_PROJECT_DIR": dir}
			},
			10, "spice-deploy.env", 5119, "", // those that are empty
		},
		{
			"Cloud_Build", func(dir string) map[string]string { return map[string]string{"BUILDER_OUTPUT": dir} },
			4096, "output", 4096, "left out PLAN, for which Cloud Build has no room; output-file takes all",
		},
		{
			"Tekton", func(dir string) map[string]string { return map[string]string{"TEKTON_RESULTS_DIR": dir} },
			3000, "", 3072, "left out PLAN, for which Tekton has no room; output-file takes all",
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			err := ci.Detect(lookup(tc.env(dir)), nil, nil).WriteOutputs(long(tc.size))
			if got := fmt.Sprint(err); got != tc.err && (err != nil || tc.err != "") {
				t.Errorf("expected %q to be %q", got, tc.err)
			}
			pattern := tc.file
			if pattern == "" {
				pattern = "*"
			}
			files, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil || len(files) == 0 {
				t.Fatalf("expected files, got %v, %v", files, err)
			}
			total, all := 0, ""
			for _, file := range files {
				total += len(read(t, file))
				all += filepath.Base(file) + " " + read(t, file)
			}
			if total > tc.most || !strings.Contains(all, "succeeded") {
				t.Errorf("expected at most %d bytes with the result, got %d: %s", tc.most, total, all)
			}
			if n := strings.Count(all, "\n"); strings.HasPrefix(tc.name, "GitLab") && n > 20 {
				t.Errorf("expected at most 20 variables, got %d", n)
			}
		})
	}
}

// A system that takes nothing, and one that names no file, leave the log as it is: a mask would show the value.
func TestHost_silent(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]map[string]string{
		"Woodpecker":           {"CI": "woodpecker"},
		"CodeBuild":            {"CODEBUILD_BUILD_ID": "a:1"},
		"CircleCI_not_in_bash": {"CIRCLECI": "true"},
		"Bitbucket_in_a_pipe":  {"BITBUCKET_BUILD_NUMBER": "7"},
		"Drone_of_old":         {"DRONE": "true"},
		"Harness_run_step":     {"HARNESS_BUILD_ID": "7"},
		"Buildkite_in_docker":  {"BUILDKITE": "true", "PATH": "/nowhere"},
		"AppVeyor":             {"APPVEYOR": "True", "PATH": "relative:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			asked(t, ci.Detect(lookup(env), &out, nil))
			if got, want := out.String(), ""; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
		})
	}
}

// A file that cannot be written is an error that names it, and nothing more happens.
func TestHost_files_cannot_be_written(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	absent := filepath.Join(folder, "absent")
	for name, env := range map[string]map[string]string{
		"CircleCI_folder":  {"CIRCLECI": "true", "BASH_ENV": folder},
		"CircleCI_absent":  {"CIRCLECI": "true", "BASH_ENV": filepath.Join(absent, "x")},
		"CircleCI_full":    {"CIRCLECI": "true", "BASH_ENV": "/dev/full"},
		"Tekton_absent":    {"TEKTON_RESULTS_DIR": absent},
		"CloudBuild":       {"BUILDER_OUTPUT": absent},
		"Harness_absent":   {"HARNESS_BUILD_ID": "7", "DRONE_OUTPUT": filepath.Join(absent, "x")},
		"Bitbucket_absent": {"BITBUCKET_BUILD_NUMBER": "7", "BITBUCKET_PIPELINES_VARIABLES_PATH": filepath.Join(absent, "x")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := ci.Detect(lookup(env), nil, nil).WriteOutputs([]ci.Output{{Name: "result", Value: "failed"}})
			if err == nil || !strings.Contains(err.Error(), "write ") {
				t.Errorf("expected an error that says what was not written, got %v", err)
			}
		})
	}
}

func TestHost_refuses_bad_names(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	host := ci.Detect(lookup(map[string]string{"TF_BUILD": "True"}), &out, nil)
	err := host.WriteOutputs([]ci.Output{{Name: "result", Value: "x"}, {Name: "a;isSecret=true]b", Value: "x"}})
	if err == nil || out.Len() > 0 {
		t.Errorf("expected an error and no command, got %v and %q", err, out.String())
	}
}

// What an environment says that fits more than one system.
func TestDetect_most_specific(t *testing.T) {
	t.Parallel()
	gitHub := map[string]string{"GITHUB_ACTIONS": "true"}
	for want, env := range map[string]map[string]string{
		"Harness CI":         {"DRONE": "true", "HARNESS_BUILD_ID": "1", "CI": "true"},
		"Drone":              {"DRONE": "true", "CI": "drone"},
		"Gitea Actions":      {"GITEA_ACTIONS": "true"},
		"Forgejo Actions":    {"GITEA_ACTIONS": "true", "FORGEJO_ACTIONS": "true"},
		"GitHub Actions":     {"GITEA_ACTIONS": "false"},
		"Woodpecker":         {"CI": "woodpecker", "CI_COMMIT_SHA": mainSHA, "CI_COMMIT_BRANCH": "main", "CI_COMMIT_MESSAGE": "x"},
		"Jenkins":            {"JENKINS_URL": "x", "BUILD_ID": "1", "BRANCH_NAME": "main", "TAG_NAME": ""},
		"Google Cloud Build": {"BUILDER_OUTPUT": "/builder/outputs", "BRANCH_NAME": "main"},
		"":                   {"CI": "true", "CI_COMMIT_SHA": mainSHA, "BRANCH_NAME": "main"},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			env := maps.Clone(env)
			if strings.HasSuffix(want, "Actions") {
				maps.Copy(env, gitHub)
			}
			if got := ci.FactsAt(lookup(env), "").System; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
		})
	}
}
