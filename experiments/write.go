package experiments

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// YAML returns the study in full: every key that has an effect, with defaults spelled out and
// nothing extended. Load makes the same plan from it.
func (s *Study) YAML() ([]byte, error) {
	found := &problems{}
	trials, _ := s.expand(found)
	if err := found.err(); err != nil {
		return nil, err
	}
	root := &yaml.Node{Kind: yaml.MappingNode}
	for _, k := range keys {
		if content := s.node(&k, trials); content != nil {
			put(root, strings.Split(k.path, "."), content)
		}
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(root); err != nil {
		return nil, fmt.Errorf("write study %s as YAML: %w", s.Name, err)
	}
	return out.Bytes(), encoder.Close()
}

// node returns the value of a key, or nil if the file is better without it.
func (s *Study) node(k *key, trials []Trial) *yaml.Node {
	used := func(t Trial) bool { return k.applies == nil || k.applies(&t.Settings) }
	comparing := s.Compare.Compares()
	switch {
	case k.path == "extends":
		return nil
	case k.path == "data.split" && s.Data.Partition != (Partition{}): // its mapping implies it
		return nil
	case isSetting(k.path):
		unset := k.fallback == nil && s.field(k.path).IsZero() // left out, or derived in each trial
		if unset || !slices.ContainsFunc(trials, used) {
			return nil
		}
	case k.path == "sweep.over":
		return s.overNode()
	case k.path == "sweep.samples" || k.path == "sweep.seed":
		if !s.drawing() {
			return nil
		}
	case k.path == "sweep.startup" || k.path == "sweep.batch":
		if !s.Searches() {
			return nil
		}
	case k.path == "checkpoints.keep" && s.Checkpoints.Keep == k.fallback:
		return nil
	case strings.HasPrefix(k.path, "sweep.prune.") && !s.Sweep.Prune.Active():
		return nil
	case k.path == "compare.ensemble" && s.Compare.Ensemble == "":
		return nil
	case strings.HasPrefix(k.path, "compare.") && !comparing && k.path != "compare.ensemble":
		return nil
	case k.path == "compare.arms" && len(s.Compare.Named) > 0:
		return namedNode(s.Compare.Named)
	case k.path == "compare.contrasts":
		return contrastsNode(s.Compare)
	case k.path == "compare.factors":
		if len(s.factors()) == 0 {
			return nil
		}
		return scalarNode(cmp.Or(s.Compare.Factors, k.fallback.(string)), k.tag())
	case strings.HasPrefix(k.path, "compare.stop.") && !s.Compare.Stop.Active():
		return nil
	case k.path == "compare.stop.looks":
		return looksNode(s.Compare.Stop.Looks)
	case k.path == "compare.match_parameters":
		return scalarNode(percent(s.Compare.MatchParameters), "!!str")
	}
	return scalarNode(s.get(k.path), k.tag())
}

// percent returns a share in the format that parse reads.
func percent(share float64) string {
	if share == 0 {
		return "off"
	}
	return fmt.Sprintf("%.12g%%", share*100)
}

// overNode returns the swept keys.
func (s *Study) overNode() *yaml.Node {
	if len(s.Sweep.Over) == 0 {
		return nil
	}
	over := &yaml.Node{Kind: yaml.MappingNode}
	for _, a := range s.Sweep.Over {
		k := find(a.Path)
		texts := a.Values
		if texts == nil {
			texts = []string{number(a.Low), number(a.High)}
		}
		content := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, text := range texts {
			content.Content = append(content.Content, scalarNode(text, k.tag()))
		}
		if a.Draw != "" {
			content = &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle,
				Content: []*yaml.Node{scalarNode(a.Draw, "!!str"), content}}
		}
		over.Content = append(over.Content, scalarNode(a.Path, "!!str"), content)
	}
	return over
}

// namedNode returns named arms, the settings of each in the order of the table.
func namedNode(arms []NamedArm) *yaml.Node {
	all := &yaml.Node{Kind: yaml.MappingNode}
	for _, arm := range arms {
		one := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
		for _, path := range settingPaths() {
			if text, set := arm.Settings[path]; set {
				one.Content = append(one.Content, scalarNode(path, "!!str"), scalarNode(text, find(path).tag()))
			}
		}
		all.Content = append(all.Content, scalarNode(arm.Name, "!!str"), one)
	}
	return all
}

// contrastsNode returns the contrasts: pairs, then interactions.
func contrastsNode(c Compare) *yaml.Node {
	all := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, pair := range c.Contrasts {
		all.Content = append(all.Content, pairNode(pair))
	}
	for _, pair := range c.Interactions {
		all.Content = append(all.Content, &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle,
			Content: []*yaml.Node{scalarNode("interaction", "!!str"), pairNode(pair)}})
	}
	return all
}

func pairNode(pair [2]string) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle,
		Content: []*yaml.Node{scalarNode(pair[0], "!!str"), scalarNode(pair[1], "!!str")}}
}

func looksNode(looks []int) *yaml.Node {
	all := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, n := range looks {
		all.Content = append(all.Content, scalarNode(strconv.Itoa(n), "!!int"))
	}
	return all
}

// scalarNode returns a node with canonical text. The encoder quotes text that would otherwise be
// read as another type; a float such as 5 needs no tag, since keys are typed.
func scalarNode(text, tag string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: text, Tag: tag}
	if tag != "!!str" {
		n.Tag = ""
	}
	return n
}

// put puts content at a path of nested mappings, and creates them.
func put(n *yaml.Node, names []string, content *yaml.Node) {
	if len(names) == 1 {
		n.Content = append(n.Content, scalarNode(names[0], "!!str"), content)
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == names[0] {
			put(n.Content[i+1], names[1:], content)
			return
		}
	}
	section := &yaml.Node{Kind: yaml.MappingNode}
	n.Content = append(n.Content, scalarNode(names[0], "!!str"), section)
	put(section, names[1:], content)
}
