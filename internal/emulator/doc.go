// Package emulator is a local Spice Cloud: its management API with the rules, the state machine and the
// refusals that Spice Cloud documents, on both route families (/v1/projects and /v1/apps), the OAuth token
// endpoint and the API of the Spice runtime on the same host, and faults on request.
//
// It keeps wire types of its own and imports nothing of this module, so that a wrong field in a client cannot
// hide in a test against it. It starts no goroutine, and no timer but for an injected delay: a deployment's state is
// computed from its timestamps whenever somebody looks, which is why it runs inside a testing/synctest bubble.
// It runs no Spice runtime, stores nothing on disk, contacts nobody, and never logs a body, a query, a
// credential or the value of a secret. Where the service's answer is not documented, it replies with prose and
// no code, so that nobody comes to depend on an invention.
//
// # Runtime
//
// An app's endpoint is the emulator's own address unless the settings say otherwise. There, the API key that
// comes as X-API-Key or as a bearer token selects the app. It is asked for on every route, /health and
// /v1/ready too, and a management token is none. The spicepod that is served is that of the newest deployment
// that has succeeded. Errors are text, but for those of chat and embeddings, which have the shape of OpenAI's.
//
//	GET    /health               ok
//	GET    /v1/ready             ready; 503 while components load, a model fails or a secret is missing; verbose=true
//	GET    /v1/status            connections, which say nothing of datasets
//	GET    /v1/datasets          of the spicepod, without views; status=true, source=, format=csv
//	GET    /v1/models            models and workers; status=true
//	POST   /v1/sql               raw SQL, or JSON with sql and parameters; rows, vendor's form, CSV, a drawn table
//	POST   /v1/nsql              as scripted, or a made-up row
//	POST   /v1/chat/completions  as scripted, or a made-up sentence; no streams
//	POST   /v1/embeddings        made-up vectors
//	POST   /v1/search            as scripted, or a made-up result for each dataset
//	POST   /v1/mcp               initialize, tools/list, tools/call; DELETE ends the session
//	GET    /v1/tools             and POST /v1/tools/{name}
//
// It loads no data, and runs no query, model, embedding or search. What nobody scripted is made up: SELECT 1 is
// 1, COUNT(*) of any table in the spicepod is 1, a table that is not there is refused, and everything else is a
// text that begins with "emulated answer". Parameters are not put into queries, limits and filters do not count, a spicepod's
// references to other files are not followed, and there is no Arrow Flight.
//
// Nothing documents what an app that is paused or was never deployed answers: here it is 503. Nor what the
// service's edge says to a wrong key: 401. The state of a dataset does not keep the runtime from being ready,
// as if it had been loaded once; ready_after does.
//
// # Control
//
// These routes take no credential; serve them on loopback only. Bodies are YAML or JSON, durations are Go
// strings such as "2s", and an unknown field is refused with its name and line.
//
//	GET    /_emulator/state        apps with the names of their secrets, deployments, settings, faults left
//	GET    /_emulator/requests     what was received: method, path, status, duration, request id
//	POST   /_emulator/scenario     a Scenario: its settings are merged, its runtime replaces the one before,
//	                               everything else is added
//	POST   /_emulator/faults       one Fault or a list, added to those that are armed
//	DELETE /_emulator/faults       disarms all
//	POST   /_emulator/outcomes     one Outcome or a list, for the next deployments in turn
//	PATCH  /_emulator/settings     Settings: the fields given replace what was there
//	POST   /_emulator/apps         an App, replies with its id
//	POST   /_emulator/deployments  {app: NAME} with a Deployment's fields: somebody else deploys, whatever runs
//	POST   /_emulator/tokens       a TokenSpec, replies with the token
//	POST   /_emulator/reset        back to an organization without apps, faults and requests, with the same credentials
package emulator
