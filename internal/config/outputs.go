package config

// Output is a result of a run that later steps can read.
type Output struct {
	Name        string
	Description string // Markdown, one line
	Vendor      bool   // the vendor's GitHub Action has it too
}

// Outputs are all outputs, in the order of the documentation.
func Outputs() []Output {
	return []Output{
		{"result", "How the run ended: `succeeded`, `submitted`, `planned`, `skipped`, `failed`, `superseded`, " +
			"`invalid-input`, `auth-error`, `timed-out`, `unavailable`, `conflict`, `verification-failed`, `rejected`, " +
			"`internal-error` or `cancelled`.", false},
		{"reason", "Why it ended so, in one line.", false},
		{"app-id", "Number of the app.", true},
		{"app-name", "Name of the app.", true},
		{"app-url", "The app in the portal: `https://spice.ai/<org>/<app>`, without an organization " +
			"`https://spice.ai/apps`.", true},
		{"deployment-id", "Id of the deployment, written the moment it is known.", true},
		{"deployment-url", "The deployment in the portal; for now the same as `app-url`.", false},
		{"deployment-status", "Last status of the deployment, in the service's own word.", true},
		{"deployment-created-at", "When the deployment was created, in UTC.", true},
		{"duration-seconds", "How long the run took.", false},
		{"error-code", "The service's code for what went wrong.", false},
		{"error-message", "The service's message for what went wrong.", false},
		{"adopted", "`true` where a deployment was followed that another run had created, else `false`.", false},
		{"superseded-by", "Id of the newer deployment that replaced ours.", false},
		{"rolled-back-to", "Id of the deployment that rolled ours back.", false},
		{"secrets", "JSON array of `{name, action}`, without values.", false},
		{"plan", "JSON of what would change, on dry runs.", false},
		{"test-results", "JSON array of `{name, ok, durationMs, detail?, error?, probe, hint?}`, one for each probe.", true},
		{"datasets", "JSON array of `{name, status, from?, error?, error_message?}`, with the runtime's status, `missing`, or `former` for one of the former version.", true},
	}
}
