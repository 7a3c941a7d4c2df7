// Rules for values: the part of JSON Schema that documents need, checked in the order of the fields.

package main

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A rule returns nil, or why the value at a JSON Pointer is refused.
type rule func(v value, at string) *refusal

// shape says what is known of a value: its rule, and the order of the keys below it.
type shape struct {
	rule   rule
	fields []field // of an object
	items  *shape  // of a list
}

type field struct {
	name     string
	required bool
	shape    shape
}

func required(name string, s shape) field { return field{name, true, s} }

// optional is a member that may be absent, or null, which means the same.
func optional(name string, s shape) field { return field{name, false, orNull(s)} }

// notNull is a member that may be absent, but not null.
func notNull(name string, s shape) field { return field{name, false, s} }

func invalid(at, message string) *refusal {
	return &refusal{"DOCUMENT_INVALID", at, "The value at `" + at + "` " + message + "."}
}

func is(accepted bool, at, message string) *refusal {
	if accepted {
		return nil
	}
	return invalid(at, message)
}

// record is an object with known fields; unknown ones are ignored.
func record(fields ...field) shape {
	return shape{fields: fields, rule: func(v value, at string) *refusal {
		o, ok := v.(*object)
		if !ok {
			return invalid(at, "is not an object")
		}
		for _, f := range fields {
			item, present := o.values[f.name]
			if !present && f.required {
				return invalid(at+"/"+f.name, "is missing")
			}
			if present {
				if r := f.shape.rule(item, at+"/"+f.name); r != nil {
					return r
				}
			}
		}
		return nil
	}}
}

// mapping is an object with any keys.
func mapping(item shape) shape {
	return shape{rule: func(v value, at string) *refusal {
		o, ok := v.(*object)
		if !ok {
			return invalid(at, "is not an object")
		}
		for _, key := range o.keys {
			if r := item.rule(o.values[key], at+"/"+escapePart(key)); r != nil {
				return r
			}
		}
		return nil
	}}
}

var escaper = strings.NewReplacer("~", "~0", "/", "~1")

// escapePart writes a key as a part of a JSON Pointer.
func escapePart(part string) string { return escaper.Replace(part) }

func listOf(item shape, least int) shape {
	return shape{items: &item, rule: func(v value, at string) *refusal {
		l, ok := v.(list)
		if !ok || len(l) < least {
			return invalid(at, "is not a list, or is too short")
		}
		for i, each := range l {
			if r := item.rule(each, at+"/"+strconv.Itoa(i)); r != nil {
				return r
			}
		}
		return nil
	}}
}

func anything() shape { return shape{rule: func(value, string) *refusal { return nil }} }

func simple(expected string, accepts func(value) bool) shape {
	return shape{rule: func(v value, at string) *refusal { return is(accepts(v), at, "is not "+expected) }}
}

func null() shape { return simple("null", func(v value) bool { return v == nil }) }
func boolean() shape {
	return simple("true or false", func(v value) bool { _, ok := v.(bool); return ok })
}
func decimal() shape {
	return simple("a number", func(v value) bool { _, ok := v.(number); return ok })
}

func one(version float64) shape { return integer(version, version) }

// integer accepts 1.0 for 1: a number counts by its value.
func integer(least, greatest float64) shape {
	return simple("an integer in its range", func(v value) bool {
		n, ok := double(v)
		return ok && n == math.Trunc(n) && least <= n && n <= greatest
	})
}

func double(v value) (float64, bool) {
	n, ok := v.(number)
	if !ok {
		return 0, false
	}
	d, _ := strconv.ParseFloat(string(n), 64)
	return d, true
}

func oneOf(words ...string) shape {
	return simple("one of "+strings.Join(words, ", "), func(v value) bool {
		for _, word := range words {
			if v == word {
				return true
			}
		}
		return false
	})
}

func text(accepts ...func(string) bool) shape {
	return simple("a string of its form", func(v value) bool {
		s, ok := v.(string)
		for _, accept := range accepts {
			ok = ok && accept(s)
		}
		return ok
	})
}

// length counts characters, neither bytes nor UTF-16 units.
func length(least, greatest int) func(string) bool {
	return func(s string) bool { n := utf8.RuneCountInString(s); return least <= n && n <= greatest }
}

func matching(pattern string) func(string) bool { return regexp.MustCompile(pattern).MatchString }

func orNull(s shape) shape {
	return shape{fields: s.fields, items: s.items, rule: func(v value, at string) *refusal {
		if v == nil {
			return nil
		}
		return s.rule(v, at)
	}}
}

// ordered returns a copy with the known keys in the order of the shape, then the unknown ones.
func ordered(v value, s shape) value {
	switch v := v.(type) {
	case list:
		result := make(list, len(v))
		for i, item := range v {
			within := shape{}
			if s.items != nil {
				within = *s.items
			}
			result[i] = ordered(item, within)
		}
		return result
	case *object:
		result := &object{values: map[string]value{}}
		for _, f := range s.fields {
			if item, present := v.values[f.name]; present {
				result.set(f.name, ordered(item, f.shape))
			}
		}
		for _, key := range v.keys {
			if _, done := result.values[key]; !done {
				result.set(key, ordered(v.values[key], shape{}))
			}
		}
		return result
	}
	return v
}
