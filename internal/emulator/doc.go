// Package emulator is a local Spice Cloud: its management API with the rules, the state machine and the
// refusals that Spice Cloud documents, on both route families (/v1/projects and /v1/apps), the OAuth token
// endpoint on the same host, and faults on request.
//
// It keeps wire types of its own and imports nothing of this module, so that a wrong field in a client cannot
// hide in a test against it. It starts no goroutine, and no timer but for an injected delay: a deployment's state is
// computed from its timestamps whenever somebody looks, which is why it runs inside a testing/synctest bubble.
// It runs no Spice runtime, stores nothing on disk, contacts nobody, and never logs a body, a query, a
// credential or the value of a secret. Where the service's answer is not documented, it replies with prose and
// no code, so that nobody comes to depend on an invention.
//
// # Control
//
// These routes take no credential; serve them on loopback only. Bodies are YAML or JSON, durations are Go
// strings such as "2s", and an unknown field is refused with its name and line.
//
//	GET    /_emulator/state        apps with the names of their secrets, deployments, settings, faults left
//	GET    /_emulator/requests     what was received: method, path, status, duration, request id
//	POST   /_emulator/scenario     a Scenario: its settings are merged, everything else is added
//	POST   /_emulator/faults       one Fault or a list, added to those that are armed
//	DELETE /_emulator/faults       disarms all
//	POST   /_emulator/outcomes     one Outcome or a list, for the next deployments in turn
//	PATCH  /_emulator/settings     Settings: the fields given replace what was there
//	POST   /_emulator/apps         an App, replies with its id
//	POST   /_emulator/deployments  {app: NAME} with a Deployment's fields: somebody else deploys, whatever runs
//	POST   /_emulator/tokens       a TokenSpec, replies with the token
//	POST   /_emulator/reset        back to the first moment, with the same credentials
package emulator
