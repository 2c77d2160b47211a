package config

func credentialOptions(o *Options) []option {
	return under("Credentials", appCommands(),
		option{
			name: "api-token", env: []string{"SPICE_CLOUD_PAT"}, kind: secretToken(&o.APIToken),
			meaning: "Personal access token, or any bearer token of the management API.",
		},
		option{
			name: "client-id", env: []string{"SPICE_CLOUD_CLIENT_ID", "SPICEAI_CLIENT_ID"}, kind: text("ID", &o.ClientID), vendor: true,
			meaning: "OAuth client id, with `client-secret` instead of `api-token`.",
		},
		option{
			name: "client-secret", env: []string{"SPICE_CLOUD_CLIENT_SECRET", "SPICEAI_CLIENT_SECRET"},
			kind: secret(&o.ClientSecret), vendor: true,
			meaning: "OAuth client secret.",
		},
		option{
			name: "scope", kind: text("SCOPES", &o.Scope), vendor: true,
			meaning: "OAuth scopes to ask for, separated by blanks; without it the client's own.",
		},
		option{
			name: "on-missing-credentials", kind: enum(&o.OnMissingCredentials, "fail", "skip", "dry-run"), def: "fail",
			commands: verifyCommands(),
			meaning: "What to do where CI secrets are empty, as on pull requests from forks and Dependabot; " +
				"`dry-run` checks the inputs and the spicepod and asks nobody.",
		},
		option{
			name: "allow-fork", kind: boolean(&o.AllowFork), def: "false",
			commands: deployCommands(),
			meaning:  "Deploy the head of a fork, which is refused otherwise.",
		},
	)
}

func serviceOptions(o *Options) []option {
	return under("Service", appCommands(),
		option{
			name: "api-url", env: []string{"SPICE_CLOUD_API_URL", "SPICEAI_API_ENDPOINT"}, kind: webAddress(&o.APIURL),
			def: "https://api.spice.ai", vendor: true,
			meaning: "Address of the management API; plain http is refused except to a loopback address.",
		},
		option{
			name: "oauth-token-url", kind: webAddress(&o.OAuthTokenURL), shown: "derived from `api-url`", vendor: true,
			meaning: "Address of the OAuth token endpoint.",
		},
		option{
			name: "ca-file", kind: text("FILE", &o.CAFile),
			meaning: "PEM file of certificates to trust on top of the usual ones.",
		},
		option{
			name: "org", kind: handle(&o.Org), shown: "in links the owner of the repository", vendor: true,
			meaning: "Organization handle, used in links; with `api-token` also sent as the organization to act in.",
		},
	)
}

func appOptions(o *Options) []option {
	return under("App", deployCommands(),
		option{
			name: "app-id", aliases: []string{"project-id"}, kind: appID(&o.AppID), commands: appCommands(), vendor: true,
			meaning: "Number of the app; this or `app-name` is required, and it wins where the two disagree.",
		},
		option{
			name: "app-name", aliases: []string{"project-name"}, kind: name("NAME", &o.AppName, 38), commands: appCommands(), vendor: true,
			meaning: "Name of the app, without regard to case; this or `app-id` is required.",
		},
		option{
			name: "create-app-if-missing", kind: boolean(&o.CreateAppIfMissing), def: "false", vendor: true,
			meaning: "Create the app where it does not exist, after all other checks; needs `app-name` and `region`.",
		},
		option{
			name: "region", kind: text("REGION", &o.Region), vendor: true,
			commands: verifyCommands(),
			meaning:  "Region of a new app, such as `us-east-1`.",
		},
		option{
			name: "visibility", kind: enum(&o.Visibility, "public", "private"), def: "private", vendor: true,
			meaning: "Visibility of a new app.",
		},
		option{
			name: "tags", kind: tagMap(&o.Tags), vendor: true,
			meaning: "YAML or JSON map of tags, merged into the app's; `repository` is added by itself.",
		},
	)
}

func deploymentOptions(o *Options) []option {
	return under("Deployment", deployCommands(),
		option{
			name: "spicepod", kind: text("FILE", &o.Spicepod), def: "spicepod.yaml", vendor: true,
			commands: verifyCommands(),
			meaning: "The spicepod, pushed where it differs in meaning from the app's. " +
				"A file that is named must be there, the default need not.",
		},
		option{
			name: "working-directory", kind: text("DIR", &o.WorkingDirectory), def: ".", vendor: true,
			commands: append(appCommands(), "emulator"),
			meaning:  "Where relative paths begin; it and they stay below the workspace.",
		},
		option{
			name: "image-tag", kind: text("TAG", &o.ImageTag), vendor: true,
			meaning: "Tag of the runtime image for this deployment.",
		},
		option{
			name: "channel", kind: enum(&o.Channel, "stable", "preview", "nightly", "internal"), vendor: true,
			meaning: "Update channel for this deployment.",
		},
		option{
			name: "replicas", kind: number(&o.Replicas, 1, 10), vendor: true,
			meaning: "Replicas for this deployment, 1 to 10.",
		},
		option{
			name: "debug", kind: optionalBoolean(&o.Debug), vendor: true,
			meaning: "Debug mode of this deployment.",
		},
		option{
			name: "branch", kind: name("BRANCH", &o.Branch, 0), shown: "from the CI system", vendor: true,
			meaning: "Branch that the deployment is attributed to.",
		},
		option{
			name: "commit-sha", kind: commitSHA(&o.CommitSHA), shown: "from the CI system", vendor: true,
			meaning: "Commit that the deployment is attributed to.",
		},
		option{
			name: "commit-message", kind: commitMessage(&o.CommitMessage), shown: "from the CI system", vendor: true,
			meaning: "Message of the deployment: the first line, at most 500 characters.",
		},
	)
}

// secretOptions are for verify where they say what is secret: it writes none, and masks them.
func secretOptions(o *Options) []option {
	return under("Secrets", deployCommands(),
		option{
			name: "secrets", kind: secret(&o.Secrets), raw: true, vendor: true,
			commands: verifyCommands(),
			meaning: "Secrets of the app, a line each: `KEY=value` or `KEY: value`, `KEY<<WORD` for several lines; " +
				"or one JSON object, such as `toJSON(secrets)`. On Linux an environment variable, which this is in CI, " +
				"holds at most 128 KiB: `secrets-file` takes more.",
		},
		option{
			name: "secrets-from-env", kind: text("NAMES", &o.SecretsFromEnv),
			commands: verifyCommands(),
			meaning: "CI variables to send as secrets: `NAME`, `NAME=VARIABLE`, `PREFIX_*` or `*=PREFIX_*`, " +
				"separated by commas, blanks or lines. On Linux each variable holds at most 128 KiB.",
		},
		option{
			name: "secrets-file", kind: text("FILE", &o.SecretsFile),
			commands: verifyCommands(),
			meaning:  "File of secrets, up to 64 MiB: `.json`, `.yaml` or dotenv.",
		},
		option{
			name: "secrets-exclude", kind: globs(&o.SecretsExclude),
			commands: verifyCommands(),
			meaning: "Patterns such as `CI_*` of secrets that are neither written nor deleted, " +
				"separated by commas, blanks or lines.",
		},
		option{
			name: "secrets-prune", kind: boolean(&o.SecretsPrune), def: "false",
			meaning: "Delete the app's secrets that were not given, as the last step of a run that succeeded; " +
				"never one that the spicepod refers to.",
		},
		option{
			name: "missing-secrets", kind: enum(&o.MissingSecrets, "fail", "warn", "ignore"), def: "warn",
			meaning: "What to do where the spicepod names a secret that is neither given nor in the app.",
		},
	)
}
