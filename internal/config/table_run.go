package config

import (
	"strconv"
	"time"
)

// The largest values taken: a longer deadline than a week, or a longer pause than an hour, is a slip.
const (
	maxTimeout = 7 * 24 * 60 * 60
	maxPause   = 60 * 60
)

func behaviourOptions(o *Options) []option {
	return under("Behaviour", deployCommands(),
		option{
			name: "on-conflict", kind: enum(&o.OnConflict, "wait", "replace", "adopt", "fail", "skip"), def: "wait",
			meaning: "What to do where another deployment has not ended.",
		},
		option{
			name: "on-superseded", kind: enum(&o.OnSuperseded, "fail", "succeed"), def: "fail",
			meaning: "How the run ends where a newer deployment replaced ours.",
		},
		option{
			name: "if-paused", kind: enum(&o.IfPaused, "fail", "resume"), def: "fail",
			meaning: "What to do with a paused app; resuming deploys, and that deployment is followed.",
		},
		option{
			name: "if-connected", kind: enum(&o.IfConnected, "fail", "deploy-head"), def: "fail",
			meaning: "What to do with an app connected to GitHub, whose spicepod cannot be pushed.",
		},
		option{
			name: "wait-for-completion", kind: boolean(&o.WaitForCompletion), def: "true", vendor: true,
			meaning: "Follow the deployment until it ends.",
		},
		option{
			name: "timeout-seconds", kind: seconds(&o.Timeout, 1, maxTimeout), def: "600", commands: appCommands(), vendor: true,
			meaning: "Deadline for everything up to the end of the deployment.",
		},
		option{
			name: "poll-interval-seconds", kind: seconds(&o.PollInterval, 1, maxPause), def: "10", vendor: true,
			commands: verifyCommands(),
			meaning: "Longest pause between two looks at the deployment. They begin quickly, and are closest around the time that the " +
				"app's last deployments took.",
		},
		option{
			name: "dry-run", kind: boolean(&o.DryRun), def: "false",
			meaning: "Write nothing and print what would change, as the command `plan` does.",
		},
		option{
			name: "exit-code", kind: boolean(&o.ExitCode), def: "false", commands: []string{"plan"},
			meaning: "Exit with 10 where something would change.",
		},
		option{
			name: "yes", kind: boolean(&o.Yes), def: "false", commands: []string{"delete"},
			meaning: "Really delete the app.",
		},
		option{
			name: "rollback-on-failure", kind: boolean(&o.RollbackOnFailure), def: "false",
			meaning: "Put the former spicepod back and deploy it where the new one fails, or its verification does. Secrets stay.",
		},
	)
}

func verificationOptions(o *Options) []option {
	probe := func(name, arg string, to *string, meaning string) option {
		return option{name: name, kind: text(arg, to), vendor: true, raw: true, meaning: meaning} // YAML needs its indentation
	}
	wait := func(name string, to *time.Duration, def int, meaning string) option {
		return option{name: name, kind: seconds(to, 0, maxTimeout), def: strconv.Itoa(def), vendor: true, meaning: meaning}
	}
	return under("Verification", verifyCommands(),
		probe("test-sql", "SQL", &o.TestSQL, "SQL query that must succeed; or `{sql, parameters, expect}`; or a YAML or JSON list of them."),
		probe("test-nsql", "TEXT", &o.TestNSQL, "Question for text-to-SQL that must succeed; or the body of `POST /v1/nsql`; or a list."),
		probe("test-chat", "TEXT", &o.TestChat, "Prompt, or a chat body, that must be answered; or a list. `stream` in a body is left out."),
		probe("test-chat-model", "MODEL", &o.TestChatModel, "Model for `test-chat` and `test-nsql`."),
		probe("test-search", "TEXT", &o.TestSearch, "Text, or a JSON search body, for a search that must succeed; or a list."),
		probe("test-mcp-tool", "TOOL", &o.TestMCPTool, "MCP tool that must succeed; or `{tool, arguments}`; or a list."),
		probe("test-mcp-arguments", "JSON", &o.TestMCPArguments, "JSON arguments for each `test-mcp-tool` without its own."),
		wait("test-warmup-seconds", &o.TestWarmup, 60, "Longest wait for the runtime to say that it is ready; 0 for none."),
		option{
			name: "test-timeout-seconds", kind: seconds(&o.TestTimeout, 1, maxPause), def: "30", vendor: true,
			meaning: "Limit for each probe.",
		},
		wait("dataset-ready-timeout-seconds", &o.DatasetReadyTimeout, 300,
			"Longest wait for the datasets of the spicepod to be served and ready; 0 for no dataset check. With 0 and no probe "+
				"the runtime is not contacted."),
		option{
			name: "fail-on-test-error", kind: boolean(&o.FailOnTestError), def: "true", vendor: true,
			meaning: "Whether a probe that fails, or a runtime that is not ready, fails the run. A dataset that fails always does.",
		},
		option{
			name: "runtime-url", kind: webAddress(&o.RuntimeURL), shown: "from the app", vendor: true,
			meaning: "Address of the runtime; plain http is refused except to a loopback address.",
		},
		option{
			name: "flight-url", kind: text("ADDRESS", &o.FlightURL), vendor: true,
			meaning: "Accepted and not used: probes go over HTTP.",
		},
	)
}

func gitHubOptions(o *Options) []option {
	return under("GitHub", deployCommands(),
		option{
			name: "github-token", kind: secretToken(&o.GitHubToken), shown: "`github.token` in the GitHub Action",
			commands: append(deployCommands(), "delete"),
			meaning:  "Token for the GitHub features below; without it they are skipped.",
		},
		option{
			name: "github-deployment", kind: boolean(&o.GitHubDeployment), def: "false",
			commands: append(deployCommands(), "delete"),
			meaning: "Record a GitHub Deployment and its statuses; `delete` marks those of the app as inactive. " +
				"Needs the permission `deployments: write`.",
		},
		option{
			name: "github-environment", kind: text("NAME", &o.GitHubEnvironment), shown: "the app's name",
			meaning: "Environment of the GitHub Deployment.",
		},
		option{
			name: "pr-comment", kind: boolean(&o.PRComment), def: "false",
			commands: append(deployCommands(), "delete"),
			meaning:  "One comment on the pull request, kept up to date. Needs the permission `pull-requests: write`.",
		},
		option{
			name: "skip-if-stale", kind: boolean(&o.SkipIfStale), def: "false",
			meaning: "Skip where the branch has moved past `commit-sha`; does nothing on tags. Not for workflows with a `paths:` " +
				"filter, where the newer commit may have no run. Needs the permission `contents: read`.",
		},
	)
}

func rehearsalOptions(o *Options) []option {
	return under("Rehearsal", deployCommands(),
		option{
			name: "emulator", kind: boolean(&o.Emulator), def: "false",
			meaning: "Run against an emulator inside the process, without an account: the app is taken from the spicepod " +
				"and missing secrets are made up.",
		},
		option{
			name: "emulator-faults", kind: text("FILE", &o.EmulatorFaults), commands: append(deployCommands(), "emulator"),
			meaning: "File of faults for the emulator to inject.",
		},
		option{
			name: "listen", kind: hostPort(&o.Listen), def: "127.0.0.1:0", commands: []string{"emulator"},
			meaning: "Address to listen on; port 0 takes a free one.",
		},
	)
}

func reportOptions(o *Options) []option {
	return under("Reporting", appCommands(),
		option{
			name: "output-file", kind: text("FILE", &o.OutputFile),
			meaning: "Also write the outputs to this file: JSON where the name ends in `.json`, else dotenv.",
		},
		option{
			name: "summary-file", kind: text("FILE", &o.SummaryFile),
			meaning: "Also write the summary to this file, as Markdown.",
		},
		option{
			name: "verbose", kind: boolean(&o.Verbose), def: "false", shown: "`true` where `RUNNER_DEBUG` is 1",
			commands: append(appCommands(), "emulator"),
			meaning:  "Log method, path, status, duration and request id of each call.",
		},
	)
}
