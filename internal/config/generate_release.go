package config

import (
	"fmt"
	"regexp"
	"strings"
)

// nativeHead is of the action for runners that cannot run containers. Only action.yml is on the Marketplace.
const nativeHead = `# Generated from the option table: go generate ./internal/config
name: Spice Deploy on any runner
description: Deploy apps to Spice.ai Cloud from Linux, macOS and Windows, without a container
author: spicedeploy
`

// nativeInstall shares the script of the action setup, since an action cannot name another one of its own commit.
const nativeInstall = `runs:
  using: composite
  steps:
    - name: Put spice-deploy on the PATH
      shell: bash
      env:
        GH_TOKEN: ${{ github.token }}
      run: bash "$GITHUB_ACTION_PATH/../setup/install.sh"
    - name: Deploy
      id: deploy
      shell: bash
      # No expression may stand in the script, which would run what an input says. The runner sets no INPUT_* for
      # composite actions: https://github.com/actions/runner/issues/665
      env:
        MSYS2_ENV_CONV_EXCL: '*' # on Windows bash would change values that look like paths, such as a secret /Ab3
`

// nativeDeploy replaces the shell, so that the runner's signal on a cancellation reaches the deployment.
const nativeDeploy = `      run: exec spice-deploy deploy
`

// WriteNativeYAML is the native/action.yml that belongs to the table: a composite action with the inputs and
// outputs of action.yml.
func WriteNativeYAML([]byte) ([]byte, error) {
	var b strings.Builder
	b.WriteString(nativeHead)
	writeInputs(&b)
	b.WriteString("\noutputs:\n")
	for _, output := range Outputs() {
		fmt.Fprintf(&b, "  %s:\n    description: %s\n    value: ${{ steps.deploy.outputs.%s }}\n",
			output.Name, quoteYAML(output.Description), output.Name)
	}
	b.WriteString("\n" + nativeInstall)
	for _, opt := range inputs() {
		for _, name := range opt.names() {
			// With underscores: a shell need not hand on a variable with a dash in its name.
			variable := "INPUT_" + strings.ReplaceAll(strings.ToUpper(name), "-", "_")
			fmt.Fprintf(&b, "        %s: ${{ inputs.%s }}\n", variable, name)
		}
	}
	b.WriteString(nativeDeploy)
	return []byte(b.String()), nil
}

// releaseImage is an image that never changes: a tag could be moved.
var releaseImage = regexp.MustCompile(`^ghcr\.io/spicedeploy/spice-deploy@sha256:[0-9a-f]{64}$`)

// SetImage returns action.yml for a release, which runs image instead of building the Dockerfile. A current
// file that does not build the Dockerfile is an error, since it belongs to another release.
func SetImage(current []byte, image string) ([]byte, error) {
	if !releaseImage.MatchString(image) {
		return nil, fmt.Errorf("image %q: expected ghcr.io/spicedeploy/spice-deploy@sha256: and 64 hexadecimal digits", image)
	}
	inputsAndOutputs, found := strings.CutSuffix(string(current), "\n"+actionRuns)
	if !found {
		return nil, fmt.Errorf("action.yml does not end with %q; start from a commit of the main branch", actionRuns)
	}
	return []byte(inputsAndOutputs + "\n" + strings.Replace(actionRuns, "Dockerfile", "docker://"+image, 1)), nil
}
