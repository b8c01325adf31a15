package httpapi

import (
	_ "embed"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"
	"go.yaml.in/yaml/v3"
)

// The contract, as it is served. It is written by hand; types.gen.go is made of it, contract_test.go holds the service to it.

//go:embed openapi.yaml
var contractYAML []byte

// docs serves the contract, and pages made from it. Each is made when it is first asked for.
func (a *api) docs(e *gin.Engine) {
	contract := sync.OnceValue(readContract)
	text := func(path, contentType string, made func() []byte) {
		made = sync.OnceValue(made)
		get(e, path, func(c *gin.Context) { c.Data(http.StatusOK, contentType, made()) })
	}
	text("/openapi.yaml", "application/yaml", func() []byte { return contractYAML })
	text("/openapi.json", "application/json", func() []byte { return contract().JSON() })
	text("/docs", htmlPage, func() []byte { return render("docs.html", contract()) })
	text("/docs/problems", htmlPage, func() []byte { return render("problems.html", explained()) })
	text("/docs/style.css", "text/css; charset=utf-8", func() []byte { return styleSheet })
}

// part is a part of the contract: an object, a list or a value. References are followed on the way to it.
type part struct {
	name    string // in what it is a part of
	pointer string // where it stands, as a JSON pointer
	node    *yaml.Node
	root    *yaml.Node
}

func readContract() part {
	var document yaml.Node
	if err := yaml.Unmarshal(contractYAML, &document); err != nil {
		panic(err) // it is ours and always decodes
	}
	root := document.Content[0]
	return part{node: root, root: root}
}

// At is the part at a path of names; an empty part when there is none.
func (p part) At(names ...string) part {
	for _, name := range names {
		p = p.member(name)
	}
	return p
}

func (p part) member(name string) part {
	if p.node == nil || p.node.Kind != yaml.MappingNode {
		return part{}
	}
	for i := 0; i < len(p.node.Content); i += 2 {
		if p.node.Content[i].Value == name {
			return p.child(name, p.node.Content[i+1])
		}
	}
	return part{}
}

// Each lists what an object or a list is made of.
func (p part) Each() (parts []part) {
	switch {
	case p.node == nil:
	case p.node.Kind == yaml.MappingNode:
		for i := 0; i < len(p.node.Content); i += 2 {
			parts = append(parts, p.child(p.node.Content[i].Value, p.node.Content[i+1]))
		}
	case p.node.Kind == yaml.SequenceNode:
		for i, item := range p.node.Content {
			parts = append(parts, p.child(strconv.Itoa(i), item))
		}
	}
	return parts
}

// child is a part of this one, or what it refers to.
func (p part) child(name string, node *yaml.Node) part {
	if node.Kind == yaml.MappingNode && len(node.Content) > 0 && node.Content[0].Value == "$ref" {
		target := part{node: p.root, root: p.root}.At(strings.Split(strings.TrimPrefix(node.Content[1].Value, "#/"), "/")...)
		target.name = name
		return target
	}
	escaped := strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
	return part{name: name, pointer: p.pointer + "/" + escaped, node: node, root: p.root}
}

// Name is what the part is called in what it is a part of.
func (p part) Name() string { return p.name }

// Given says whether there is such a part.
func (p part) Given() bool { return p.node != nil }

// Text is a value's text.
func (p part) Text() string {
	if p.node == nil {
		return ""
	}
	return p.node.Value
}

// Texts are the texts of a list, or of a value.
func (p part) Texts() (texts []string) {
	for _, item := range p.Each() {
		texts = append(texts, item.Text())
	}
	if len(texts) == 0 && p.Text() != "" {
		texts = []string{p.Text()}
	}
	return texts
}

// Target is the last name of what a reference points to: a schema's name.
func (p part) Target() string {
	return p.pointer[strings.LastIndexByte(p.pointer, '/')+1:]
}

// JSON is the part as JSON, in the order in which it is written; references stay.
func (p part) JSON() []byte {
	if p.node == nil {
		return nil
	}
	return appendNode(nil, p.node)
}

func appendNode(b []byte, n *yaml.Node) []byte {
	switch n.Kind { //nolint:exhaustive // the contract has no aliases, and a document is not part of itself
	case yaml.MappingNode:
		b = append(b, '{')
		for i := 0; i < len(n.Content); i += 2 {
			b = append(appendText(separate(b, i), n.Content[i].Value), ':')
			b = appendNode(b, n.Content[i+1])
		}
		return append(b, '}')
	case yaml.SequenceNode:
		b = append(b, '[')
		for i, item := range n.Content {
			b = appendNode(separate(b, i), item)
		}
		return append(b, ']')
	}
	switch n.ShortTag() {
	case "!!int", "!!float", "!!bool":
		return append(b, n.Value...)
	case "!!null":
		return append(b, "null"...)
	}
	return appendText(b, n.Value)
}

func separate(b []byte, place int) []byte {
	if place > 0 {
		return append(b, ',')
	}
	return b
}
