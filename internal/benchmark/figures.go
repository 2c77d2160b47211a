//go:build unix

package main

import (
	"fmt"
	"slices"
	"time"
)

func median[T any](sorted []T) T { return sorted[len(sorted)/2] }

// spread is the median with the least and the most.
func spread(all []time.Duration) string {
	slices.Sort(all)
	if len(all) == 1 {
		return short(all[0])
	}
	return fmt.Sprintf("%s (%s to %s, %d runs)", short(median(all)), short(all[0]), short(all[len(all)-1]), len(all))
}

func short(d time.Duration) string {
	if d < 100*time.Millisecond {
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

func took(results []result) []time.Duration {
	var all []time.Duration
	for _, r := range results {
		all = append(all, r.Took)
	}
	return all
}

// memory is the median of the most that each run had resident.
func memory(results []result) string {
	var all []int64
	for _, r := range results {
		all = append(all, r.Memory)
	}
	slices.Sort(all)
	return mebibytes(median(all))
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// processor is the median of the processor time of each run.
func processor(results []result) string {
	var all []time.Duration
	for _, r := range results {
		all = append(all, r.Processor)
	}
	slices.Sort(all)
	return short(median(all))
}
