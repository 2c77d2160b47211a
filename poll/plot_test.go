package poll_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/poll"
)

const (
	plotWidth = 860
	plotLeft  = 200.0 // of the axes; the names of the schedules stand before it
	plotRight = 830.0
)

// drawing is an SVG in the making.
type drawing struct{ strings.Builder }

func (d *drawing) text(x, y float64, anchor, color, text string) {
	fmt.Fprintf(d, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=%q fill=%q>%s</text>\n", x, y, anchor, color, text)
}

func (d *drawing) line(x1, y1, x2, y2 float64, color string, width float64) {
	fmt.Fprintf(d, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=%q stroke-width=\"%.1f\"/>\n", x1, y1, x2, y2, color, width)
}

// plot draws the looks at one deployment, and lateness and looks over the duration.
func plot(t *testing.T) string {
	t.Helper()
	var d drawing
	fmt.Fprintf(&d, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d 820\" font-family=\"sans-serif\" font-size=\"13\">\n", plotWidth)
	d.WriteString("<title>When each schedule looks, how late it notices the end, and how often it looks</title>\n")
	d.WriteString("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n")
	d.looks(t)
	var lines []curve
	for _, r := range rivals() {
		lines = append(lines, measure(t, r))
	}
	d.chart(270, "mean lateness, seconds", 9, 1, lines, func(s seen) float64 { return s.late.Seconds() })
	d.chart(560, "looks", 100, 20, lines, func(s seen) float64 { return s.looks })
	d.text((plotLeft+plotRight)/2, 805, "middle", "#333333", "how long the deployment takes, give or take 10 %")
	d.WriteString("</svg>\n")
	return d.String()
}

// looks draws a row for each schedule: its looks at a deployment of about a minute.
func (d *drawing) looks(t *testing.T) {
	t.Helper()
	const usual, end, top, row = time.Minute, 62 * time.Second, 60.0, 38.0
	scale := func(at time.Duration) float64 { return plotLeft + at.Seconds()/72*(plotRight-plotLeft) }
	d.text(plotLeft, 28, "start", "#333333", "looks at a deployment of 62 s where 60 s are usual")
	rows := rivals()
	for i, r := range rows {
		y := top + row*float64(i)
		d.text(plotLeft-12, y+4, "end", r.color, r.name)
		d.line(plotLeft, y, plotRight, y, "#e5e5e5", 1)
		start := time.Now()
		schedule := r.schedule(durations{usual, 0.1})()
		_, err := poll.Until(t.Context(), schedule, func(context.Context) (struct{}, bool, error) {
			x := scale(time.Since(start))
			d.line(x, y-9, x, y+9, r.color, 2)
			return struct{}{}, time.Since(start) >= end, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	bottom := top + row*float64(len(rows)) - 12
	d.line(scale(end), top-22, scale(end), bottom, "#333333", 1)
	for s := 0; s <= 70; s += 10 {
		d.text(scale(time.Duration(s)*time.Second), bottom+16, "middle", "#333333", fmt.Sprintf("%d s", s))
	}
}

// curve is what one schedule does, by duration.
type curve struct {
	color string
	takes []time.Duration
	seen  []seen
}

const shortest, doublings, perDoubling = 2 * time.Second, 8, 5

func measure(t *testing.T, r rival) curve {
	t.Helper()
	c := curve{color: r.color}
	for i := range doublings*perDoubling + 1 {
		usual := durations{time.Duration(float64(shortest) * math.Exp2(float64(i)/perDoubling)), 0.1}
		c.takes = append(c.takes, usual.usual)
		c.seen = append(c.seen, watch(t, thousand/2, usual, r.schedule(usual)))
	}
	return c
}

// chart draws the curves over a logarithmic axis of time, with y from 0 to highest.
func (d *drawing) chart(top float64, name string, highest, step int, curves []curve, value func(seen) float64) {
	const height = 210.0
	x := func(takes time.Duration) float64 {
		return plotLeft + math.Log2(takes.Seconds()/shortest.Seconds())/doublings*(plotRight-plotLeft)
	}
	y := func(v float64) float64 { return top + height*(1-min(v/float64(highest), 1)) }
	d.text(plotLeft, top-10, "start", "#333333", name)
	for v := 0; v <= highest; v += step {
		d.line(plotLeft, y(float64(v)), plotRight, y(float64(v)), "#e5e5e5", 1)
		d.text(plotLeft-12, y(float64(v))+4, "end", "#333333", fmt.Sprint(v))
	}
	for _, s := range []int{2, 5, 12, 30, 60, 120, 300} {
		at := x(time.Duration(s) * time.Second)
		d.line(at, top, at, top+height, "#e5e5e5", 1)
		d.text(at, top+height+17, "middle", "#333333", fmt.Sprintf("%d s", s))
	}
	for _, c := range curves {
		fmt.Fprintf(d, "<polyline fill=\"none\" stroke=%q stroke-width=\"2.5\" points=\"", c.color)
		for i, takes := range c.takes {
			fmt.Fprintf(d, "%.1f,%.1f ", x(takes), y(value(c.seen[i])))
		}
		d.WriteString("\"/>\n")
	}
}
