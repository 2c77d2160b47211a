package diag

import (
	"regexp"
	"strings"
)

// Cause names one row of the table of remedies.
type Cause string

// The causes that the tool can tell apart and say a next step for.
const (
	NoCredentials         Cause = "no-credentials"
	NoCredentialsFork     Cause = "no-credentials-fork"
	TokenRefused          Cause = "token-refused"
	ClientRefused         Cause = "client-refused"
	ScopeMissing          Cause = "scope-missing"
	RoleTooLow            Cause = "role-too-low"
	OrganizationRefused   Cause = "organization-refused"
	AppNotFound           Cause = "app-not-found"
	AppNotHosted          Cause = "app-not-hosted"
	AppGone               Cause = "app-gone"
	NameTaken             Cause = "name-taken"
	RegionUnknown         Cause = "region-unknown"
	ImageUnknown          Cause = "image-unknown"
	PlanTooSmall          Cause = "plan-too-small"
	SecretsMissing        Cause = "secrets-missing"
	SecretsPartlyWritten  Cause = "secrets-partly-written"
	SpicepodRefused       Cause = "spicepod-refused"
	SpicepodMissing       Cause = "spicepod-missing"
	AppPaused             Cause = "app-paused"
	AppConnected          Cause = "app-connected"
	SecretRefused         Cause = "secret-refused"
	PaymentRequired       Cause = "payment-required"
	RequestRefused        Cause = "request-refused"
	BodyTooLarge          Cause = "body-too-large"
	DeploymentInTheWay    Cause = "deployment-in-the-way"
	DeploymentNotReplaced Cause = "deployment-not-replaced"
	DeploymentSuperseded  Cause = "deployment-superseded"
	DeploymentFailed      Cause = "deployment-failed"
	ShortOfCapacity       Cause = "short-of-capacity"
	PodTooLarge           Cause = "pod-too-large"
	UnableToStart         Cause = "unable-to-start"
	PlatformError         Cause = "platform-error"
	StuckQueued           Cause = "stuck-queued"
	StuckInProgress       Cause = "stuck-in-progress"
	RuntimeUnknown        Cause = "runtime-unknown"
	RuntimeRefused        Cause = "runtime-refused"
	RuntimeUnreachable    Cause = "runtime-unreachable"
	RuntimeNotReady       Cause = "runtime-not-ready"
	FormerVersionServed   Cause = "former-version-served"
	DatasetFailed         Cause = "dataset-failed"
	ProbeFailed           Cause = "probe-failed"
	RollbackUnstored      Cause = "rollback-unstored"
	RollbackUndeployed    Cause = "rollback-undeployed"
	RollbackUnfinished    Cause = "rollback-unfinished"
	RollbackOvertaken     Cause = "rollback-overtaken"
	AnswerLost            Cause = "answer-lost"
	ForeignDeployment     Cause = "foreign-deployment"
	Unreachable           Cause = "unreachable"
	CertificateNotTrusted Cause = "certificate-not-trusted"
	Redirected            Cause = "redirected"
	NotTheAPI             Cause = "not-the-api"
	RateLimited           Cause = "rate-limited"
	ForkHead              Cause = "fork-head"
	Bug                   Cause = "bug"
)

// Remedy is one row: what the user sees, and what to do about it. Words in braces are filled in by [Hint].
type Remedy struct {
	Cause  Cause
	Result Result
	When   string
	Do     string
}

// Remedies returns the table, in the order in which a run can meet the causes.
func Remedies() []Remedy {
	return []Remedy{
		{NoCredentials, InvalidInput, "no credentials were given, or the CI variables that hold them are empty", "pass api-token, or client-id and client-secret, from your CI secrets. If they are passed already they arrived empty: a reusable workflow needs `secrets: inherit`, and secrets of an environment need `environment:` on the job"},
		{NoCredentialsFork, InvalidInput, "a pull request from a fork or by Dependabot: CI gives it no secrets", "this is how CI protects secrets, not a mistake in the workflow. Set on-missing-credentials: skip to pass over such runs, or dry-run to check inputs and spicepod there; or run the step on push only"},
		{TokenRefused, AuthError, "401: the token is wrong, expired or revoked", "make a new personal access token in the Spice Cloud portal (Profile, Personal Access Tokens) and put it into the CI secret behind api-token"},
		{ClientRefused, AuthError, "the token endpoint refused the OAuth client", "compare client-id and client-secret with the OAuth client in the Spice Cloud portal; a regenerated secret replaces the old one at once, and clients can expire"},
		{ScopeMissing, AuthError, "403: the token lacks a scope", "give the token or OAuth client the scope {scope}; a deployment needs apps:write, deployments:write and, with secrets, secrets:write"},
		{RoleTooLow, AuthError, "403: the role in the organization is too low", "the account behind the token needs the role member or above in the organization{org}; viewer can only read"},
		{OrganizationRefused, AuthError, "the organization is unknown, or not the credential's", "check the org input{org}: a personal token reaches the organizations of its user, an OAuth client only its own (leave org out of the credentials then)"},
		{AppNotFound, InvalidInput, "the app is not in this organization", "check app-id or app-name and the org input{org}: an app of another organization looks as if it did not exist{create}"},
		{AppNotHosted, Rejected, "the app is not hosted by Spice Cloud (Cloud Connect)", "deploy to a managed app: Spice Cloud does not run this one, so there is nothing that a deployment could change"},
		{AppGone, Rejected, "the app disappeared during the run", "see who deleted or moved the app, then run again"},
		{NameTaken, Rejected, "an app of this name exists and cannot be used", "choose another app-name: names are unique in an organization without regard to case"},
		{RegionUnknown, InvalidInput, "the region is not offered", "set region to one of {choices}"},
		{ImageUnknown, InvalidInput, "the image tag is not published for the channel", "set image-tag to one of {choices}, or leave it out to get the channel's default"},
		{PlanTooSmall, Rejected, "403: the organization's plan does not include this", "leave the input out, or change the plan in the Spice Cloud portal"},
		{SecretsMissing, InvalidInput, "the spicepod refers to secrets that nobody has", "add {names} to secrets or secrets-from-env. If the value is an organization secret linked to the app, which cannot be listed, set missing-secrets: warn"},
		{SecretsPartlyWritten, "", "some secrets were written and others not; no deployment was made", "run the job again: writing a secret twice does no harm. The running version keeps the old values until a deployment"},
		{SpicepodRefused, Rejected, "Spice Cloud refused the spicepod", "correct the spicepod as the message says; the published schema is stricter than the runtime. The running version stays as it is"},
		{SpicepodMissing, Rejected, "the app has no spicepod to deploy", "add spicepod.yaml to the checkout or set the spicepod input; is actions/checkout missing before this step?"},
		{AppPaused, Rejected, "the app is paused", "resume it in the portal, or set if-paused: resume (resuming deploys, and running costs money)"},
		{AppConnected, Rejected, "the app is connected to GitHub, so its spicepod cannot be pushed", "merge to its production branch instead, disconnect it in the portal, or set if-connected: deploy-head to deploy what that branch holds"},
		{SecretRefused, Rejected, "Spice Cloud refused a secret", "correct the secret's name or value as the message says"},
		{PaymentRequired, Rejected, "402: the organization has to pay first", "see to the billing of the organization in the Spice Cloud portal"},
		{RequestRefused, Rejected, "the request was refused for another reason", "correct what the message names; where nothing of yours is wrong, report it to Spice AI support"},
		{BodyTooLarge, Rejected, "413: the request is larger than the service takes (1 MiB)", "make the spicepod or the secret smaller"},
		{DeploymentInTheWay, Conflict, "another deployment has not ended", "wait for it, or set on-conflict: replace to deploy over one that hangs; raise timeout-seconds where waiting is right. A `concurrency:` group in the workflow keeps its own runs apart"},
		{DeploymentNotReplaced, Conflict, "another deployment has not ended, and Spice Cloud lets none replace it: it is queued, or on-conflict: replace was refused", "wait for it and run again, or raise timeout-seconds; on-conflict: replace does not help here, since Spice Cloud does not let this one be replaced. A `concurrency:` group in the workflow keeps its own runs apart"},
		{DeploymentSuperseded, Superseded, "a newer deployment replaced this one before it ended", "look at the newer deployment {by}: it decides what runs. Set on-superseded: succeed where that is fine"},
		{DeploymentFailed, Failed, "the deployment failed", "{former}. Open the deployment's logs in the portal"},
		{ShortOfCapacity, Failed, "the platform lacks capacity ({code})", "run the job again in a few minutes, or ask for fewer replicas; {former}"},
		{PodTooLarge, Failed, "an instance of this size fits no node", "lower the resources of the app in the portal; running again will not help"},
		{UnableToStart, Failed, "the new version did not start", "look for a wrong image-tag or a spicepod that the runtime cannot load; {former}"},
		{PlatformError, Failed, "an internal error of Spice Cloud", "run the job again; if it stays, report the deployment's id to Spice AI support"},
		{StuckQueued, TimedOut, "the deployment stayed queued", "check that image-tag exists for the channel and that the spicepod is valid: a deployment that cannot be placed stays queued"},
		{StuckInProgress, TimedOut, "the deployment did not end in time and may still be running", "a dataset or model that does not load, or a missing secret, keeps a new version from becoming ready while the former one serves: look at the instance's logs in the portal. Raise timeout-seconds if it only needs longer; running again for the same commit with on-conflict: adopt follows it"},
		{RuntimeUnknown, VerificationFailed, "deployed, but Spice Cloud gives no API key or no address of the runtime, so nothing could be verified", "make an API key for the app in the portal, and give the token the scope apps:read; set runtime-url where the app's address is not the one to ask. Without a verification (dataset-ready-timeout-seconds: 0 and no probe) the runtime is not contacted"},
		{RuntimeRefused, VerificationFailed, "deployed, but the runtime's endpoint refuses the key, or is not the runtime's", "check runtime-url, if it is set, and that no proxy answers in the runtime's place; where the app's API key was just regenerated, run verify again"},
		{RuntimeUnreachable, VerificationFailed, "deployed, but the runtime's endpoint gave no answer that is of use", "check runtime-url, if it is set, and the network between this runner and the runtime (DNS, firewall, proxy, certificates); where it answers with errors, look at the instance's log in the portal"},
		{RuntimeNotReady, VerificationFailed, "deployed, but the runtime or a dataset was not ready in time", "look at the instance's log in the portal for a model or dataset that does not load; raise {option} where it only needs longer"},
		{FormerVersionServed, VerificationFailed, "deployed, but the former version still answers", "the new version did not take over: look at the newest instance's log in the portal for what keeps it from becoming ready"},
		{DatasetFailed, VerificationFailed, "deployed, but a dataset is in error", "correct the dataset's source, parameters or secrets in the spicepod and deploy again; the error is the runtime's own"},
		{ProbeFailed, VerificationFailed, "deployed, but a probe failed", "compare the probe with what the new version serves{hint}{else}"},
		{RollbackUnstored, "", "a rollback could not put the former spicepod back", "put the former spicepod back by hand, unless the app has it: run this job for the commit before, or edit the spicepod in the portal and deploy it"},
		{RollbackUndeployed, "", "a rollback put the former spicepod back, but its deployment was refused or failed", "see to what the message names, then deploy again: in the portal, or by running this job for the commit before"},
		{RollbackUnfinished, "", "a rollback's deployment had not ended, or could not be followed", "look at {deployment} in the portal: once it has succeeded, the former version runs"},
		{RollbackOvertaken, "", "somebody else deployed, or changed the spicepod, during a rollback", "see in the portal what the others have deployed: it decides what runs, and the rollback was given up for it"},
		{AnswerLost, Unavailable, "the answer to the create was lost and what became of it could not be found out", "look at the app's deployments in the portal before running again: one for this commit may exist"},
		{ForeignDeployment, Unavailable, "after a lost answer there is a new deployment with another commit on a connected app", "it may be this run's: look at it in the portal before running again"},
		{Unreachable, Unavailable, "Spice Cloud could not be reached, or kept answering with errors", "check the network between this runner and {host} (proxy, firewall, DNS) and, where it answers with errors, the status of Spice Cloud; then run again: nothing is left half done that a second run would not put right"},
		{CertificateNotTrusted, Unavailable, "the server's certificate is not trusted", "if a proxy with its own certificate authority stands between, pass it as ca-file; otherwise check api-url"},
		{Redirected, Unavailable, "the server answered with a redirect, which is not followed so that no credential goes elsewhere", "set api-url (or oauth-token-url) to the address that serves the API itself"},
		{NotTheAPI, Unavailable, "what answered does not look like the Spice Cloud API", "check api-url and whether a proxy or sign-in page answers in its place"},
		{RateLimited, Unavailable, "429: the rate limit did not lift in time", "run fewer deployments at once, or raise timeout-seconds"},
		{ForkHead, InvalidInput, "the commit is the head of a fork", "review it first; set allow-fork: true only where deploying the code of strangers with your credentials is meant"},
		{Bug, InternalError, "a bug in spice-deploy", "please report it with the log at https://github.com/spicedeploy/spice-deploy/issues"},
	}
}

// Hint returns what to do about a cause. Pairs of word and value fill the words in braces; one that is not
// given vanishes.
func Hint(cause Cause, pairs ...string) string {
	for _, remedy := range Remedies() {
		if remedy.Cause == cause {
			return fill(remedy.Do, pairs)
		}
	}
	return ""
}

// blank is a word in braces that was not filled in, with the space before it.
var blank = regexp.MustCompile(` ?\{[a-z]+\}`)

func fill(text string, pairs []string) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		text = strings.ReplaceAll(text, "{"+pairs[i]+"}", pairs[i+1])
	}
	return blank.ReplaceAllString(text, "")
}
