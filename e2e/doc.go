// Package e2e holds tests alone: real runners run the action and the examples against the emulator, and each example is
// read by its own system's parser or schema. It is a module of its own, so that what the tests need stays out of the
// product's go.sum.
//
// What is not installed is fetched with the Go proxy, npm and apt, into a folder of the user's cache. Where a part of
// the machine is missing, the test fails and says which; with E2E_ALLOW_SKIP=1 it is skipped.
//
// Nothing here contacts Spice Cloud, GitHub or any other CI system, and nothing is left running.
package e2e
