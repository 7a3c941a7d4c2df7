// JSON without loss: encoding/json keeps neither duplicate keys, nor the order of keys, nor numbers
// as they were written.

package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A value is nil, a bool, a number, a string, a list or an *object.
type (
	value  any
	number string // as it was written
	list   []value
	object struct {
		keys   []string // in the order of the file
		values map[string]value
	}
)

const maxDepth = 64

var numberToken = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?`)

// scanner reads one JSON text (RFC 8259). Its methods panic with a *refusal.
type scanner struct {
	text []byte
	at   int
}

func parseJSON(data []byte) (result value, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = r.(*refusal)
		}
	}()
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) {
		refuse("JSON_ENCODING_INVALID", "The document is not UTF-8.")
	}
	s := &scanner{text: data}
	result = s.value(0)
	if s.next() != 0 || s.at < len(data) {
		s.unexpected()
	}
	return result, nil
}

func refuse(code, format string, arguments ...any) {
	panic(&refusal{Code: code, Message: fmt.Sprintf(format, arguments...)})
}

func (s *scanner) unexpected() {
	refuse("JSON_INVALID", "The document is not JSON: the mistake is at byte %d.", s.at)
}

// next skips white space and returns the next byte, or 0 at the end.
func (s *scanner) next() byte {
	for s.at < len(s.text) && strings.IndexByte(" \t\r\n", s.text[s.at]) >= 0 {
		s.at++
	}
	if s.at == len(s.text) {
		return 0
	}
	return s.text[s.at]
}

func (s *scanner) take(expected byte) {
	if s.next() != expected || s.at == len(s.text) {
		s.unexpected()
	}
	s.at++
}

func (s *scanner) value(depth int) value {
	switch c := s.next(); c {
	case '{', '[':
		if depth == maxDepth {
			refuse("JSON_TOO_DEEP", "The document is nested more than %d levels deep.", maxDepth)
		}
		if c == '{' {
			return s.object(depth + 1)
		}
		return s.list(depth + 1)
	case '"':
		return s.string()
	}
	for word, meaning := range map[string]value{"true": true, "false": false, "null": nil} {
		if bytes.HasPrefix(s.text[s.at:], []byte(word)) {
			s.at += len(word)
			return meaning
		}
	}
	token := numberToken.Find(s.text[s.at:])
	if token == nil {
		s.unexpected()
	}
	s.at += len(token)
	if _, err := strconv.ParseFloat(string(token), 64); err != nil {
		refuse("JSON_NUMBER_INVALID", "A number is too large for a double.")
	}
	return number(token)
}

func (s *scanner) object(depth int) value {
	result := &object{values: map[string]value{}}
	s.take('{')
	if s.next() == '}' {
		s.at++
		return result
	}
	for {
		if s.next() != '"' {
			s.unexpected()
		}
		key := s.string()
		if _, twice := result.values[key]; twice {
			refuse("JSON_DUPLICATE_KEY", "The key %q appears twice in one object.", key)
		}
		s.take(':')
		result.set(key, s.value(depth))
		if s.next() == '}' {
			s.at++
			return result
		}
		s.take(',')
	}
}

func (s *scanner) list(depth int) value {
	result := list{}
	s.take('[')
	if s.next() == ']' {
		s.at++
		return result
	}
	for {
		result = append(result, s.value(depth))
		if s.next() == ']' {
			s.at++
			return result
		}
		s.take(',')
	}
}

var escapes = map[byte]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

func (s *scanner) string() string {
	var result []byte
	for s.at++; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '"':
			s.at++
			return string(result)
		case c < ' ':
			s.unexpected()
		case c != '\\':
			result = append(result, c)
		case bytes.HasPrefix(s.text[s.at:], []byte(`\u`)):
			result = utf8.AppendRune(result, s.character())
		default:
			s.at++
			if s.at == len(s.text) || escapes[s.text[s.at]] == 0 {
				s.unexpected()
			}
			result = append(result, escapes[s.text[s.at]])
		}
	}
	s.unexpected()
	return ""
}

// character returns the character of `\uXXXX` or of a surrogate pair, and stops at its last digit.
func (s *scanner) character() rune {
	first := s.unit()
	if !utf16.IsSurrogate(first) {
		return first
	}
	if bytes.HasPrefix(s.text[s.at+1:], []byte(`\u`)) {
		s.at++
		if both := utf16.DecodeRune(first, s.unit()); both != utf8.RuneError {
			return both
		}
	}
	refuse("JSON_STRING_INVALID", "A string contains a lone surrogate.")
	return 0
}

func (s *scanner) unit() rune {
	if s.at+6 > len(s.text) {
		s.unexpected()
	}
	unit, err := strconv.ParseUint(string(s.text[s.at+2:s.at+6]), 16, 16)
	if err != nil {
		s.unexpected()
	}
	s.at += 5
	return rune(unit)
}

func (o *object) set(key string, item value) {
	if _, known := o.values[key]; !known {
		o.keys = append(o.keys, key)
	}
	o.values[key] = item
}

func (o *object) remove(key string) {
	for i, other := range o.keys {
		if other == key {
			o.keys = append(o.keys[:i:i], o.keys[i+1:]...)
		}
	}
	delete(o.values, key)
}

// appendJSON appends a value as JSON on one line, with its numbers as they were written.
func appendJSON(b []byte, item value) []byte {
	switch v := item.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case number:
		return append(b, v...)
	case string:
		return appendString(b, v)
	case list:
		b = append(b, '[')
		for i, each := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, each)
		}
		return append(b, ']')
	case *object:
		b = append(b, '{')
		for i, key := range v.keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(append(appendString(b, key), ':'), v.values[key])
		}
		return append(b, '}')
	}
	panic(fmt.Sprintf("not a JSON value: %T", item))
}

func appendString(b []byte, text string) []byte {
	b = append(b, '"')
	for _, c := range []byte(text) {
		if c == '"' || c == '\\' {
			b = append(b, '\\', c)
		} else if c < ' ' {
			b = append(b, fmt.Sprintf(`\u%04x`, c)...)
		} else {
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// MarshalJSON lets encoding/json write an object in its order.
func (o *object) MarshalJSON() ([]byte, error) { return appendJSON(nil, o), nil }

// MarshalJSON lets encoding/json write a number as it was.
func (n number) MarshalJSON() ([]byte, error) { return []byte(n), nil }
