// JSON Pointers (RFC 6901): set and remove one value.

package main

import (
	"regexp"
	"strconv"
	"strings"
)

var (
	unescaper = strings.NewReplacer("~1", "/", "~0", "~")
	pointers  = regexp.MustCompile(`^(?:/(?:[^~/]|~[01])*)+$`)
	index     = regexp.MustCompile(`^(?:0|[1-9][0-9]{0,8})$`)
)

// change sets the value at a pointer, or removes it.
func change(document *object, pointer string, item value, remove bool) *refusal {
	nowhere := &refusal{"POINTER_INVALID", pointer, "The pointer `" + pointer + "` leads nowhere."}
	if !pointers.MatchString(pointer) {
		return nowhere
	}
	parts := strings.Split(pointer[1:], "/")
	for i := range parts {
		parts[i] = unescaper.Replace(parts[i])
	}
	if _, ok := changeAt(document, parts, item, remove); !ok {
		return nowhere
	}
	return nil
}

// changeAt returns the changed value, since a list that grows or shrinks is another one.
func changeAt(v value, parts []string, item value, remove bool) (value, bool) {
	key, last := parts[0], len(parts) == 1
	switch v := v.(type) {
	case *object:
		old, present := v.values[key]
		switch {
		case !present && (remove || !last):
			return v, false
		case last && remove:
			v.remove(key)
		case last:
			v.set(key, item)
		default:
			changed, ok := changeAt(old, parts[1:], item, remove)
			v.set(key, changed)
			return v, ok
		}
		return v, true
	case list:
		if key == "-" && last && !remove {
			return append(v, item), true
		}
		i, _ := strconv.Atoi(key)
		if !index.MatchString(key) || i >= len(v) {
			return v, false
		}
		switch {
		case last && remove:
			return append(v[:i:i], v[i+1:]...), true
		case last:
			v[i] = item
		default:
			changed, ok := changeAt(v[i], parts[1:], item, remove)
			v[i] = changed
			return v, ok
		}
		return v, true
	}
	return v, false
}
