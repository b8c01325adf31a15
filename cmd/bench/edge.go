package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"strconv"
	"sync"
	"syscall"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"

	"minicrm/transport/httpapi"
)

// job is what a peer does behind its handlers.
type job interface {
	createOperator(ctx context.Context, maxLoad int) (id int64, err error)
	createSource(ctx context.Context) (id int64, err error)
	setLink(ctx context.Context, source, operator, weight int64) error
	createContact(ctx context.Context, b *contactBody) (contactView, error)
	closeContact(ctx context.Context, id int64) (contactView, error)
	readContact(ctx context.Context, id int64) (contactView, error)
}

// contactBody is what a contact is posted with, as transport/httpapi takes it.
type contactBody struct {
	SourceID int64  `json:"source_id"`
	Email    string `json:"email"`
	Name     string `json:"name"`
	Phone    string `json:"phone"`
	Text     string `json:"text"`
}

// contactView is a contact as transport/httpapi shows it.
type contactView struct {
	ID         int64   `json:"id"`
	SourceID   int64   `json:"source_id"`
	LeadID     int64   `json:"lead_id"`
	OperatorID *int64  `json:"operator_id"`
	Status     string  `json:"status"`
	How        *string `json:"how"`
	Text       string  `json:"text"`
	CreatedAt  string  `json:"created_at"`
	AssignedAt *string `json:"assigned_at"`
	ClosedAt   *string `json:"closed_at"`
}

// edge serves a job as cheaply as Gin allows: bodies are read into pooled buffers, decoded and encoded by the codec of
// transport/httpapi, and leave with their length. Nothing is validated, limited, counted or timed. Whoever makes the codec
// there faster makes it faster here, too, or the ratios tell of the codec.
type edge struct {
	job     job
	buffers sync.Pool // of *bytes.Buffer
}

func newEdge(j job) http.Handler {
	e := &edge{job: j, buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }}}
	gin.SetMode(gin.ReleaseMode)
	g := gin.New()
	g.POST("/v1/operators", e.createOperator)
	g.POST("/v1/sources", e.createSource)
	g.PUT("/v1/sources/:id/operators/:operator_id", e.setLink)
	g.POST("/v1/contacts", e.createContact)
	g.POST("/v1/contacts/:id/close", func(c *gin.Context) { e.onContact(c, e.job.closeContact) })
	g.GET("/v1/contacts/:id", func(c *gin.Context) { e.onContact(c, e.job.readContact) })
	return g
}

func (e *edge) createContact(c *gin.Context) {
	var body contactBody
	if !e.decode(c, &body) {
		return
	}
	view, err := e.job.createContact(c.Request.Context(), &body)
	if err == nil {
		c.Header("Location", "/v1/contacts/"+strconv.FormatInt(view.ID, 10))
	}
	e.send(c, http.StatusCreated, &view, err)
}

func (e *edge) onContact(c *gin.Context, do func(context.Context, int64) (contactView, error)) {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		c.Status(http.StatusUnprocessableEntity)
		return
	}
	view, err := do(c.Request.Context(), id)
	e.send(c, http.StatusOK, &view, err)
}

type idView struct {
	ID int64 `json:"id"`
}

func (e *edge) createOperator(c *gin.Context) {
	var body struct {
		Name    string `json:"name"`
		MaxLoad int    `json:"max_load"`
	}
	if !e.decode(c, &body) {
		return
	}
	id, err := e.job.createOperator(c.Request.Context(), body.MaxLoad)
	e.send(c, http.StatusCreated, &idView{id}, err)
}

func (e *edge) createSource(c *gin.Context) {
	id, err := e.job.createSource(c.Request.Context())
	e.send(c, http.StatusCreated, &idView{id}, err)
}

func (e *edge) setLink(c *gin.Context) {
	var body struct {
		Weight int64 `json:"weight"`
	}
	if !e.decode(c, &body) {
		return
	}
	source, _ := strconv.ParseInt(c.Param("id"), 10, 64) // 0 is refused below
	operator, _ := strconv.ParseInt(c.Param("operator_id"), 10, 64)
	e.send(c, http.StatusOK, &struct{}{}, e.job.setLink(c.Request.Context(), source, operator, body.Weight))
}

func (e *edge) decode(c *gin.Context, into any) bool {
	buf := e.buffers.Get().(*bytes.Buffer)
	defer e.giveBack(buf)
	if _, err := buf.ReadFrom(io.LimitReader(c.Request.Body, 1<<20)); err != nil {
		c.Status(http.StatusBadRequest)
		return false
	}
	if err := json.Unmarshal(buf.Bytes(), into, json.RejectUnknownMembers(true)); err != nil {
		c.String(http.StatusBadRequest, "%v", err)
		return false
	}
	return true
}

func (e *edge) send(c *gin.Context, status int, view any, err error) {
	if err != nil {
		c.String(http.StatusInternalServerError, "%v", err)
		return
	}
	buf := e.buffers.Get().(*bytes.Buffer)
	defer e.giveBack(buf)
	if err := json.MarshalWrite(buf, view); err != nil {
		c.String(http.StatusInternalServerError, "%v", err)
		return
	}
	header := c.Writer.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(buf.Len()))
	c.Writer.WriteHeader(status)
	_, _ = c.Writer.Write(buf.Bytes()) // it fails when the client is gone
}

func (e *edge) giveBack(buf *bytes.Buffer) {
	buf.Reset()
	e.buffers.Put(buf)
}

// servePeer serves a job with the server of transport/httpapi until SIGTERM. It says where it listens in the words of
// minicrm serve, so that the driver reads both alike.
func servePeer(listen string, j job, logger *slog.Logger) error {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	listener, err := (&net.ListenConfig{}).Listen(stop, "tcp", listen)
	if err != nil {
		return err
	}
	server := httpapi.NewServer(newEdge(j))
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	logger.Info("ready", "listen", listener.Addr().String())
	select {
	case err := <-served:
		return err
	case <-stop.Done():
		return server.Close()
	}
}
