package spicepod

// Dataset is a dataset that a manifest declares.
type Dataset struct {
	Name string
	From string // where its data comes from; "" where the manifest does not say, or only a secret would tell
}

// Datasets is every dataset that the manifest declares itself, in its order. Those that it takes over from a spicepod
// that it depends on are not known here, and views are none.
func (m *Manifest) Datasets() []Dataset {
	var list []Dataset
	for _, item := range m.root.get("datasets").items {
		name := item.get("name")
		if name.kind != text || name.text == "" {
			continue // it refers to a file or another spicepod
		}
		d := Dataset{Name: name.text}
		if from := item.get("from"); from.kind == text && !referencePattern.MatchString(from.text) {
			d.From = from.text
		}
		list = append(list, d)
	}
	return list
}
