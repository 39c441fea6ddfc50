package main

import (
	"errors"
	"image/color"
	"math"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/usher-authz/usher/bench/drive"
)

// draw draws the plots of whatever results there are.
func (s settings) draw(r report) error {
	var failures []error
	if len(r.Sizes) > 0 {
		failures = append(failures, s.drawCosts(r.Sizes), s.drawLatencies(r.Sizes[len(r.Sizes)-1]), s.drawGrowth(r.Sizes))
	}
	if r.Mixed != nil {
		failures = append(failures, s.drawMixed(r.Mixed))
	}
	return errors.Join(failures...)
}

// newPlot returns a plot with a grid, whose values range over powers of ten.
func newPlot(title, x, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	p.Title.Padding = vg.Points(8)
	p.Legend.Top = true
	p.Add(plotter.NewGrid())
	return p
}

// logarithmic lets an axis range over powers of ten, from below the least to above the
// greatest of some values. What is 0 has no place on it.
func logarithmic(axis *plot.Axis, values ...float64) {
	least, greatest := math.Inf(1), 0.0
	for _, v := range values {
		if v > 0 {
			least, greatest = min(least, v), max(greatest, v)
		}
	}
	axis.Scale, axis.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	axis.Min, axis.Max = math.Pow(10, math.Floor(math.Log10(least))), math.Pow(10, math.Ceil(math.Log10(greatest)))
}

// operations are those whose costs are plotted, the cheapest last: axes count upwards.
var operations = []struct {
	name    string
	callers int
	label   string
}{
	{drive.ListLong, drive.FewCallers, "ListObjects, 10,000"},
	{drive.LaterPage, drive.FewCallers, "ListObjects, a later 100"},
	{drive.FirstPage, drive.FewCallers, "ListObjects, the first 100"},
	{"BatchCheck", drive.FewCallers, "BatchCheck of 100"},
	{"FilterObjects", drive.FewCallers, "FilterObjects of 100"},
	{drive.ListShort, drive.FewCallers, "ListObjects, 100"},
	{"Write", drive.ManyCallers, "Write"},
	{"Check", drive.ManyCallers, "Check"},
	{"health", drive.ManyCallers, "health"},
	{bareHealth, drive.ManyCallers, "bare health"},
}

// drawCosts draws the CPU of each operation, a point for each size.
func (s settings) drawCosts(sizes []*sizeResult) error {
	p := newPlot("Server CPU of one request", "µs", "")
	names := make([]string, len(operations))
	var values []float64
	for i, size := range sizes {
		var points plotter.XYs
		for y, operation := range operations {
			names[y] = operation.label
			if f, ok := size.find(operation.name, operation.callers); ok {
				x := float64(f.CPU) / float64(time.Microsecond)
				values, points = append(values, x), append(points, plotter.XY{X: x, Y: float64(y)})
			}
		}
		if err := addPoints(p, size.Size, i, points); err != nil {
			return err
		}
	}
	logarithmic(&p.X, values...)
	p.NominalY(names...)
	return p.Save(18*vg.Centimeter, 10*vg.Centimeter, s.file("cpu.svg"))
}

// addPoints adds points in the colour and shape of a number.
func addPoints(p *plot.Plot, label string, number int, points plotter.XYs) error {
	scatter, err := plotter.NewScatter(points)
	if err != nil {
		return err
	}
	scatter.GlyphStyle = draw.GlyphStyle{Color: colour(number), Radius: vg.Points(4), Shape: plotutil.Shape(number)}
	p.Add(scatter)
	p.Legend.Add(label, scatter)
	return nil
}

// addLine adds points with a line through them.
func addLine(p *plot.Plot, label string, number int, points plotter.XYs) error {
	line, dots, err := plotter.NewLinePoints(points)
	if err != nil {
		return err
	}
	line.Color, dots.Color, dots.Shape = colour(number), colour(number), plotutil.Shape(number)
	p.Add(line, dots)
	p.Legend.Add(label, line, dots)
	return nil
}

func colour(number int) color.Color { return plotutil.DarkColors[number%len(plotutil.DarkColors)] }

// drawLatencies draws the quantiles of small requests.
func (s settings) drawLatencies(r *sizeResult) error {
	p := newPlot("Latency, "+r.Size, "quantile", "ms")
	var values []float64
	for i, o := range []struct {
		name    string
		callers int
	}{{"health", drive.OneCaller}, {"Check", drive.OneCaller}, {"health", drive.ManyCallers}, {"Check", drive.ManyCallers}} {
		f, _ := r.find(o.name, o.callers)
		var points plotter.XYs
		for x, latency := range f.Latencies {
			y := float64(latency) / float64(time.Millisecond)
			values, points = append(values, y), append(points, plotter.XY{X: float64(x), Y: y})
		}
		if err := addLine(p, o.name+", "+plural(o.callers, "caller"), i, points); err != nil {
			return err
		}
	}
	logarithmic(&p.Y, values...)
	p.NominalX("50 %", "90 %", "99 %", "99.9 %")
	p.Legend.Left = true
	return p.Save(14*vg.Centimeter, 9*vg.Centimeter, s.file("latency.svg"))
}

// drawGrowth draws what operations cost in units of a health RPC of the same run.
func (s settings) drawGrowth(sizes []*sizeResult) error {
	p := newPlot("Cost as the library grows", "tuples", "CPU, in health RPCs of the same run")
	var xs, ys []float64
	number := 0
	for _, operation := range operations {
		var points plotter.XYs
		for _, size := range sizes {
			health, _ := size.find("health", drive.ManyCallers)
			if f, ok := size.find(operation.name, operation.callers); ok && operation.label != "health" {
				point := plotter.XY{X: float64(size.Load.Tuples), Y: times(f.CPU, health.CPU)}
				xs, ys, points = append(xs, point.X), append(ys, point.Y), append(points, point)
			}
		}
		if len(points) == 0 {
			continue
		}
		if err := addLine(p, operation.label, number, points); err != nil {
			return err
		}
		number++
	}
	logarithmic(&p.X, xs...)
	logarithmic(&p.Y, ys...)
	p.X.Max *= 100 // room for the legend
	return p.Save(18*vg.Centimeter, 11*vg.Centimeter, s.file("growth.svg"))
}

// drawMixed draws the p99 of each operation and the memory over time.
func (s settings) drawMixed(m *mixedResult) error {
	p := newPlot("Everything at once", "minutes", "p99 in ms; heap in use in MiB")
	var ys []float64
	lines := make(map[string]plotter.XYs)
	heap := plotter.XYs{}
	for _, sample := range m.Samples {
		x := sample.At.Minutes()
		for _, operation := range sample.Operations {
			if operation.Requests > 0 {
				y := float64(operation.P99) / float64(time.Millisecond)
				ys, lines[operation.Name] = append(ys, y), append(lines[operation.Name], plotter.XY{X: x, Y: y})
			}
		}
		if live := sample.Memory.Live; live > 0 { // there has been a collection
			y := float64(live) / (1 << 20)
			ys, heap = append(ys, y), append(heap, plotter.XY{X: x, Y: y})
		}
	}
	if len(heap) > 0 {
		if err := addLine(p, "heap in use", 0, heap); err != nil {
			return err
		}
	}
	for i, operation := range m.Samples[0].Operations {
		if points := lines[operation.Name]; len(points) > 0 {
			if err := addLine(p, operation.Name, i+1, points); err != nil {
				return err
			}
		}
	}
	logarithmic(&p.Y, ys...)
	p.X.Max *= 1.6 // room for the legend
	return p.Save(18*vg.Centimeter, 11*vg.Centimeter, s.file("mixed.svg"))
}
