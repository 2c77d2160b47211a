package poll

import "time"

// Usual is how long something usually takes: the median of those durations that [Follow] goes by, 0 without any.
func Usual(before []time.Duration) time.Duration {
	took := recent(before)
	if len(took) == 0 {
		return 0
	}
	return time.Duration(median(took) * float64(time.Second))
}

// recent is the first ten of the durations that are positive, in seconds.
func recent(before []time.Duration) []float64 {
	var took []float64
	for _, d := range before {
		if d > 0 && len(took) < 10 {
			took = append(took, d.Seconds())
		}
	}
	return took
}
