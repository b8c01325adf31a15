package httpapi

import (
	"bytes"

	"minicrm/domain"
)

// checkDepth refuses JSON that is nested deeper than any call's body. Bodies with few brackets, which is all that the
// API asks for, cost two counts.
func checkDepth(body []byte) error {
	if bytes.Count(body, []byte{'['})+bytes.Count(body, []byte{'{'}) <= maxDepth {
		return nil
	}
	depth, inString := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '[' || c == '{':
			if depth++; depth > maxDepth {
				return domain.Refuse(codeMalformed, "the body is nested deeper than %d levels", maxDepth)
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return nil
}
