package experiments

import "fmt"

// fillDefaults sets every key that has a default of its own.
func (s *Study) fillDefaults() {
	for _, k := range keys {
		switch x := k.fallback.(type) {
		case nil:
		case float64:
			s.set(k.path, number(x))
		default:
			s.set(k.path, fmt.Sprint(x))
		}
	}
}

// deriveBase fills in the defaults that depend on other settings, as far as
// those are the same in all trials.
func (s *Study) deriveBase() {
	for _, k := range keys {
		if k.derive != nil && s.field(k.path).IsZero() && !s.field(k.on).IsZero() && !s.varies(k.on) && !s.variesBelow(k.path) {
			s.set(k.path, fmt.Sprint(k.derive(&s.Settings)))
		}
	}
}

// DataSettings are the settings of a study that says no more than which data set it is of and, unless split is "", how that is
// split. They are not checked.
func DataSettings(name, split string) Settings {
	s := new(Study)
	s.fillDefaults()
	s.Data.Name, s.Data.Split = name, split
	s.settle()
	return s.Settings
}

// settle completes the settings of one trial: defaults that depend on other
// settings are filled in, and settings without effect beside the others (the
// attention size of arm none) become zero, so that they cannot tell two equal
// trials apart. So do defaults that are omitted.
func (s *Settings) settle() {
	whole := Study{Settings: *s}
	for _, k := range keys {
		if k.derive != nil && whole.field(k.path).IsZero() {
			whole.set(k.path, fmt.Sprint(k.derive(&whole.Settings)))
		}
		if k.applies != nil && !k.applies(&whole.Settings) || k.omitted && whole.get(k.path) == k.fallback {
			whole.field(k.path).SetZero()
		}
	}
	*s = whole.Settings
}
