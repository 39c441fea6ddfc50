package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/usher-authz/usher/check/index"
)

// indexMetrics shows what the indexes of all stores hold together: with a label for each
// store there would be as many series as stores.
type indexMetrics struct {
	memory *index.Memory

	bytes, coverage, loaded, fallbacks, built, dropped *prometheus.Desc
}

// measure shows what indexes hold.
func (i *indexing) measure(registry *prometheus.Registry) {
	if i == nil {
		return
	}
	metric := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("usher_index_"+name, help, labels, nil)
	}
	registry.MustRegister(i.seconds, &indexMetrics{
		memory:    i.memory,
		bytes:     metric("bytes", "Memory of the indexes, by what it holds.", "part"),
		coverage:  metric("coverage_ratio", "Part of the lists of all tuples that the loaded indexes hold."),
		loaded:    metric("loaded", "1 when the indexes of all stores are loaded, 0 before."),
		fallbacks: metric("fallbacks_total", "Reads of an index that went to its store."),
		built:     metric("closures_built_total", "Closures of subjects that were worked out."),
		dropped:   metric("closures_dropped_total", "Closures of subjects that made room for others."),
	})
}

// Describe implements [prometheus.Collector].
func (m *indexMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.bytes, m.coverage, m.loaded, m.fallbacks, m.built, m.dropped} {
		to <- d
	}
}

// Collect implements [prometheus.Collector].
func (m *indexMetrics) Collect(to chan<- prometheus.Metric) {
	s := m.memory.Stats()
	show := func(d *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, kind, value, labels...)
	}
	show(m.bytes, prometheus.GaugeValue, float64(s.NameBytes), "names")
	show(m.bytes, prometheus.GaugeValue, float64(s.ListBytes), "lists")
	show(m.bytes, prometheus.GaugeValue, float64(s.MaskBytes), "masks")
	show(m.bytes, prometheus.GaugeValue, float64(s.UndoBytes), "undo")
	show(m.bytes, prometheus.GaugeValue, float64(s.ClosureBytes), "closures")
	if s.Partitions > 0 {
		show(m.coverage, prometheus.GaugeValue, float64(s.Covered)/float64(s.Partitions))
	}
	loaded := 0.0
	if s.Loaded == s.Indexes {
		loaded = 1
	}
	show(m.loaded, prometheus.GaugeValue, loaded)
	show(m.fallbacks, prometheus.CounterValue, float64(s.Fallbacks))
	show(m.built, prometheus.CounterValue, float64(s.ClosuresBuilt))
	show(m.dropped, prometheus.CounterValue, float64(s.ClosuresDropped))
}
