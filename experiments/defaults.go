package experiments

import "fmt"

// fillDefaults sets every key that has a fixed default.
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

// deriveBase fills in the defaults that depend on other settings, if those are the same in all
// trials.
func (s *Study) deriveBase() {
	for _, k := range keys {
		if k.derive != nil && s.field(k.path).IsZero() && !s.field(k.on).IsZero() && !s.varies(k.on) && !s.variesBelow(k.path) {
			s.set(k.path, fmt.Sprint(k.derive(&s.Settings)))
		}
	}
}

// DataSettings returns the settings of a study that sets only its data set and, unless split is
// "", the split. They are not checked.
func DataSettings(name, split string) Settings {
	s := new(Study)
	s.fillDefaults()
	s.Data.Name, s.Data.Split = name, split
	s.settle()
	return s.Settings
}

// settle completes the settings of one trial. It fills in defaults that depend on other settings.
// It zeroes settings without effect given the others (the attention size of arm none), so that
// they cannot distinguish two equal trials, and omitted defaults.
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
