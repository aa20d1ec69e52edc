package experiments

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Schema returns the JSON Schema (draft 2020-12) of a study file, derived from the table of keys,
// for completion and checks in editors. schema.json contains it. Load checks what it cannot
// express, such as which arms a contrast may name.
func Schema() ([]byte, error) {
	root := object{
		"$schema":              "https://json-schema.org/draft/2020-12/schema",
		"title":                "glimpse study",
		"type":                 "object",
		"additionalProperties": false,
		"properties":           object{},
		"$defs":                rangeSchemas(),
		"required":             []string{"study"},
	}
	for _, k := range keys {
		root.put(strings.Split(k.path, "."), k.schema())
	}
	for path, name := range shorthands {
		section := root.at(path)
		delete(section, "type")
		section["anyOf"] = []object{{"$ref": schemaOf(path + "." + name)}, {"type": "object"}}
	}
	out, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the schema of study files: %w", err)
	}
	return append(out, '\n'), nil
}

// object is a JSON object; its keys are written sorted.
type object map[string]any

// put puts a schema at a path of nested sections, and creates them.
func (o object) put(names []string, content object) {
	properties := o["properties"].(object)
	if len(names) == 1 {
		properties[names[0]] = content
		return
	}
	section, _ := properties[names[0]].(object)
	switch {
	case section == nil:
		section = object{"type": "object", "additionalProperties": false, "properties": object{}}
	case section["properties"] == nil: // a key that may also be a mapping
		one := object{}
		for _, name := range []string{"type", "enum"} {
			one[name] = section[name]
			delete(section, name)
		}
		section["anyOf"] = []object{one, {"type": "object"}}
		section["additionalProperties"], section["properties"] = false, object{}
	}
	properties[names[0]] = section
	section.put(names[1:], content)
}

// at returns the schema at a path.
func (o object) at(path string) object {
	for name := range strings.SplitSeq(path, ".") {
		o = o["properties"].(object)[name].(object)
	}
	return o
}

// schema returns the schema of a key's value, with description and default.
func (k *key) schema() object {
	var o object
	switch k.path {
	case "sweep.over":
		o = overSchema()
	case "compare.arms":
		o = armsSchema()
	case "compare.contrasts":
		pair := object{"type": "array", "items": object{"type": []string{"string", "number"}}, "minItems": 2, "maxItems": 2}
		interaction := object{
			"type": "object", "properties": object{"interaction": pair}, "required": []string{"interaction"},
			"additionalProperties": false,
		}
		o = object{"type": "array", "items": object{"anyOf": []object{pair, interaction}}}
	case "compare.stop.looks":
		o = object{"type": "array", "items": object{"type": "integer", "minimum": 2}, "minItems": 2}
	case "compare.baseline":
		o = object{"type": []string{"string", "number"}}
	case "study":
		o = object{"type": "string", "pattern": studyName.String()}
	default:
		o = k.valueSchema()
	}
	o["description"] = k.doc
	if k.fallback != nil {
		o["default"] = k.fallback
	}
	return o
}

// valueSchema returns the type and the limits of one value.
func (k *key) valueSchema() object {
	l := k.allowed()
	switch {
	case l.percent:
		return object{"type": "string", "pattern": `^([0-9.]+%|off)$`}
	case l.share:
		return object{"type": []string{"string", "integer"}}
	case k.kind == reflect.Bool:
		return object{"type": "boolean"}
	case l.words != nil:
		return object{"type": "string", "enum": l.words}
	case k.isText():
		return object{"type": "string"}
	}
	o := object{"type": "integer", "minimum": l.low, "maximum": l.high}
	if k.kind == reflect.Float64 {
		o["type"] = "number"
	}
	if l.lowOpen {
		delete(o, "minimum")
		o["exclusiveMinimum"] = l.low
	}
	if l.highOpen {
		delete(o, "maximum")
		o["exclusiveMaximum"] = l.high
	}
	return o
}

// armsSchema returns the schema of compare.arms: a swept key, or settings by the name of an arm.
func armsSchema() object {
	properties := object{}
	for _, path := range settingPaths() {
		if path != "data.root" && path != "seed" {
			properties[path] = object{"$ref": schemaOf(path)}
		}
	}
	arm := object{"type": "object", "properties": properties, "additionalProperties": false}
	named := object{
		"type": "object", "additionalProperties": arm, "minProperties": 2,
		"propertyNames": object{"minLength": 1, "maxLength": 64},
	}
	return object{"anyOf": []object{{"type": "string"}, named}}
}

// schemaOf returns a reference to the schema of a path.
func schemaOf(path string) string {
	return "#/properties/" + strings.ReplaceAll(path, ".", "/properties/")
}

// overSchema returns the schema of sweep.over, with a property for each setting: a list of
// values, or a range.
func overSchema() object {
	properties := object{}
	for _, path := range settingPaths() {
		if path == "data.root" {
			continue // not part of the identity; see decoder.over
		}
		one := object{"$ref": schemaOf(path)}
		values := object{"type": "array", "items": one, "minItems": 1}
		drawn := object{"$ref": "#/$defs/" + find(path).kind.String()}
		properties[path] = object{"anyOf": []object{values, drawn}}
	}
	return object{"type": "object", "additionalProperties": false, "properties": properties}
}

// rangeSchemas returns the ranges from which each Go kind may be drawn, by the name of the kind.
func rangeSchemas() object {
	choice := object{"type": "array", "minItems": 1}
	ends := object{"type": "array", "items": object{"type": "number"}, "minItems": 2, "maxItems": 2}
	ranges := func(properties object) object {
		properties["choice"] = choice
		return object{"type": "object", "properties": properties, "additionalProperties": false, "minProperties": 1, "maxProperties": 1}
	}
	whole := ranges(object{"log": ends, "int": ends})
	return object{
		reflect.String.String():  ranges(object{}),
		reflect.Bool.String():    ranges(object{}),
		reflect.Int.String():     whole,
		reflect.Int64.String():   whole,
		reflect.Float64.String(): ranges(object{"log": ends, "uniform": ends}),
	}
}
