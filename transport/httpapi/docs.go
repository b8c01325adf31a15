package httpapi

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Pages for people, made from the contract and from the table of codes. They have no scripts and need nothing from
// elsewhere, so the policy that browser.go sets for every page suits them.

const htmlPage = "text/html; charset=utf-8"

//go:embed docs/docs.html docs/problems.html
var pages embed.FS

//go:embed docs/style.css
var styleSheet []byte

// render makes a page.
func render(name string, data any) []byte {
	t := template.Must(template.New("").Funcs(template.FuncMap{
		"prose": prose, "pretty": pretty, "limits": schemaLimits, "join": strings.Join, "status": statusText, "methods": methods,
		"has": slices.Contains[[]string],
	}).ParseFS(pages, "docs/*.html"))
	var page bytes.Buffer
	if err := t.ExecuteTemplate(&page, name, data); err != nil {
		panic(err) // the templates are ours
	}
	return page.Bytes()
}

var (
	inlineCode = regexp.MustCompile("`([^`]+)`")
	inlineBold = regexp.MustCompile(`\*\*([^*]+)\*\*`)
)

// prose shows a description: paragraphs, code and bold.
func prose(text string) template.HTML {
	var b strings.Builder
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		escaped := template.HTMLEscapeString(paragraph)
		escaped = inlineCode.ReplaceAllString(escaped, "<code>$1</code>")
		b.WriteString("<p>" + inlineBold.ReplaceAllString(escaped, "<strong>$1</strong>") + "</p>\n")
	}
	return template.HTML(b.String()) //nolint:gosec // the text is the contract's, and escaped
}

// pretty shows an example: JSON on lines of its own, or text as it is.
func pretty(example part) string {
	text := jsontext.Value(example.JSON())
	if len(text) == 0 || text.Kind() == jsontext.KindString {
		return example.Text()
	}
	if err := text.Indent(jsontext.WithIndent("  ")); err != nil {
		panic(err) // it is the contract's
	}
	return string(text)
}

// schemaLimits says in a few words what a value may be.
func schemaLimits(schema part) string {
	said := []string{strings.Join(schema.At("type").Texts(), " or ")}
	if values := schema.At("enum").Texts(); len(values) > 0 {
		said = append(said, strings.Join(values, " · "))
	}
	for _, limit := range []struct{ name, words string }{
		{"format", ""}, {"minimum", "from "}, {"maximum", "to "}, {"minLength", "characters from "}, {"maxLength", "characters to "},
		{"minItems", "items from "}, {"maxItems", "items to "}, {"default", "default "},
	} {
		if value := schema.At(limit.name); value.Given() && value.Text() != "" {
			said = append(said, limit.words+value.Text())
		}
	}
	if item := schema.At("items"); item.Given() {
		said = append(said, "of "+schemaLimits(item))
	}
	return strings.Trim(strings.Join(said, ", "), ", ")
}

func statusText(status string) string {
	code, _ := strconv.Atoi(status)
	return http.StatusText(code)
}

// methods are the operations of a path.
func methods(path part) (operations []part) {
	for _, p := range path.Each() {
		if p.At("operationId").Given() {
			operations = append(operations, p)
		}
	}
	return operations
}

// Nested is the object that a field has, or has a list of; an empty part for other fields.
func (p part) Nested() part {
	for _, object := range []part{p, p.At("items")} {
		if object.At("properties").Given() {
			return object
		}
	}
	return part{}
}
