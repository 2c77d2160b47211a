// Package simulation holds no code, only the simulation of whole runs: the real command line, pipeline and client
// against the real emulator, in memory and in the fake time of testing/synctest, with faults, rivals and
// cancellations that a seed decides.
//
//	go test ./internal/simulation                  a few thousand seeds
//	go test ./internal/simulation -seeds 1000000   as many as there is time for
//	go test ./internal/simulation -seed 4711 -v    one seed, with its history
package simulation
