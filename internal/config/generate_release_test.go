package config_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/config"
)

func TestNativeYAML(t *testing.T) {
	t.Parallel()
	docker, native := readAction(t), readActionFile(t, "native/action.yml")
	if diff := cmp.Diff(docker.Inputs, native.Inputs); diff != "" {
		t.Errorf("inputs of action.yml and native/action.yml (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(docker.Outputs)), slices.Sorted(maps.Keys(native.Outputs))); diff != "" {
		t.Errorf("outputs of action.yml and native/action.yml (-want +got):\n%s", diff)
	}
	for name, output := range native.Outputs {
		if got, want := output.Value, "${{ steps.deploy.outputs."+name+" }}"; got != want {
			t.Errorf("output %s: expected %q to be %q", name, got, want)
		}
		if got, want := output.Description, docker.Outputs[name].Description; got != want {
			t.Errorf("output %s: expected %q to be %q", name, got, want)
		}
	}
	want := map[string]string{"MSYS2_ENV_CONV_EXCL": "*"} // https://www.msys2.org/docs/filesystem-paths
	for name := range docker.Inputs {
		want["INPUT_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))] = "${{ inputs." + name + " }}"
	}
	last := native.Runs.Steps[len(native.Runs.Steps)-1]
	if last.ID != "deploy" {
		t.Errorf("expected the outputs to come from the last step, got %q", last.ID)
	}
	if diff := cmp.Diff(want, last.Env); diff != "" {
		t.Errorf("variables of the deployment (-want +got):\n%s", diff)
	}
}

func TestCompositeActions_interpolate_nothing_into_scripts(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"setup/action.yml", "native/action.yml"} {
		a := readActionFile(t, name)
		if a.Runs.Using != "composite" || len(a.Runs.Steps) == 0 {
			t.Errorf("%s: expected a composite action with steps", name)
		}
		for _, step := range a.Runs.Steps {
			if strings.Contains(step.Run, "${{") || step.Shell != "bash" || step.Uses != "" {
				t.Errorf("%s: expected a script in bash without expressions, got %q in %q", name, step.Run, step.Shell)
			}
		}
	}
}

func TestSetImage(t *testing.T) {
	t.Parallel()
	image := "ghcr.io/spicedeploy/spice-deploy@sha256:" + strings.Repeat("0a", 32)
	fresh, err := config.WriteActionYAML(nil)
	if err != nil {
		t.Fatal(err)
	}
	released, err := config.SetImage(fresh, image)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(string(fresh), "\n  image: Dockerfile\n", "\n  image: docker://"+image+"\n", 1)
	if diff := cmp.Diff(want, string(released)); diff != "" {
		t.Errorf("action.yml of a release (-want +got):\n%s", diff)
	}
	if again, err := config.WriteActionYAML(released); err != nil || string(again) != string(released) {
		t.Errorf("expected a generated file to keep the image of a release, got error %v and %s", err, again)
	}
}

func TestSetImage_refuses(t *testing.T) {
	t.Parallel()
	const good = "name: x\n\nruns:\n  using: docker\n  image: Dockerfile\n"
	image := "ghcr.io/spicedeploy/spice-deploy@sha256:" + strings.Repeat("0", 64)
	cases := []struct{ name, current, image string }{
		{"a_tag", good, "ghcr.io/spicedeploy/spice-deploy:v1"},
		{"another_image", good, "ghcr.io/example/spice-deploy@sha256:" + strings.Repeat("0", 64)},
		{"a_short_digest", good, image[:len(image)-1]},
		{"a_second_line", good, image + "\n  entrypoint: /bin/sh"},
		{"a_released_file", strings.Replace(good, "Dockerfile", "docker://"+image, 1), image},
		{"another_end", good + "  env: {}\n", image},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got, err := config.SetImage([]byte(tc.current), tc.image); err == nil {
				t.Errorf("expected an error, got %s", got)
			}
		})
	}
}
