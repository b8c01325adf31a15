package main

import (
	"context"
	_ "embed"
	"errors"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed postgres.sql
var postgresSchema string

// postgresCmd runs the peer that has PostgreSQL do the job.
type postgresCmd struct {
	Listen   string `default:"127.0.0.1:0" help:"Address to serve on."`
	Database string `required:"" help:"Connection string."`
	Pool     int    `default:"32" help:"Connections to the database."`
	Choose   string `default:"choose_skipping" help:"How an operator is chosen and locked: a function of postgres.sql."`
}

// Run serves until SIGTERM.
func (c *postgresCmd) Run(ctx context.Context) error {
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	return servePeer(c.Listen, &postgresJob{pool}, slog.New(slog.NewTextHandler(os.Stderr, nil)))
}

// open makes the schema anew, and connects.
func (c *postgresCmd) open(ctx context.Context) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(c.Database)
	if err != nil {
		return nil, err
	}
	config.MaxConns, config.MinConns = int32(c.Pool), int32(c.Pool)
	config.ConnConfig.RuntimeParams["search_path"] = "crm"
	config.AfterConnect = prepareStatements
	if err := c.createSchema(ctx, config.ConnConfig); err != nil {
		return nil, err
	}
	return pgxpool.NewWithConfig(ctx, config)
}

func (c *postgresCmd) createSchema(ctx context.Context, config *pgx.ConnConfig) error {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, strings.ReplaceAll(postgresSchema, "CHOOSE(", c.Choose+"("), pgx.QueryExecModeSimpleProtocol)
	return errors.Join(err, conn.Close(ctx))
}

// The statements, by name; each connection has them prepared from its start.
const (
	postContact = "post"
	endContact  = "close"
	readContact = "read"
)

func prepareStatements(ctx context.Context, c *pgx.Conn) error {
	for name, sql := range map[string]string{
		postContact: `SELECT contact, lead, operator, at FROM create_contact($1, $2, $3, $4, $5)`,
		endContact:  `SELECT id, source_id, lead_id, operator_id, status, body, created_at, assigned_at, closed_at FROM close_contact($1)`,
		readContact: `SELECT id, source_id, lead_id, operator_id, status, body, created_at, assigned_at, closed_at FROM contacts WHERE id = $1`,
	} {
		if _, err := c.Prepare(ctx, name, sql); err != nil {
			return err
		}
	}
	return nil
}

type postgresJob struct{ pool *pgxpool.Pool }

func (p *postgresJob) createOperator(ctx context.Context, maxLoad int) (id int64, err error) {
	err = p.pool.QueryRow(ctx, `INSERT INTO operators (max_load) VALUES ($1) RETURNING id`, maxLoad).Scan(&id)
	return id, err
}

func (p *postgresJob) createSource(ctx context.Context) (id int64, err error) {
	err = p.pool.QueryRow(ctx, `INSERT INTO sources DEFAULT VALUES RETURNING id`).Scan(&id)
	return id, err
}

func (p *postgresJob) setLink(ctx context.Context, source, operator, weight int64) error {
	_, err := p.pool.Exec(ctx, `INSERT INTO links VALUES ($1, $2, $3)
		ON CONFLICT (source_id, operator_id) DO UPDATE SET weight = $3`, source, operator, weight)
	return err
}

func (p *postgresJob) createContact(ctx context.Context, b *contactBody) (contactView, error) {
	v := contactView{SourceID: b.SourceID, Status: "open", Text: b.Text}
	var at time.Time
	err := p.pool.QueryRow(ctx, postContact, b.SourceID, b.Email, b.Name, b.Phone, b.Text).
		Scan(&v.ID, &v.LeadID, &v.OperatorID, &at)
	v.CreatedAt = shownTime(at)
	if v.OperatorID != nil {
		v.Status, v.How, v.AssignedAt = "assigned", new("automatic"), &v.CreatedAt
	}
	return v, err
}

func (p *postgresJob) closeContact(ctx context.Context, id int64) (contactView, error) {
	return p.contact(ctx, endContact, id)
}

func (p *postgresJob) readContact(ctx context.Context, id int64) (contactView, error) {
	return p.contact(ctx, readContact, id)
}

func (p *postgresJob) contact(ctx context.Context, statement string, id int64) (v contactView, err error) {
	var created time.Time
	var assigned, closed *time.Time
	err = p.pool.QueryRow(ctx, statement, id).
		Scan(&v.ID, &v.SourceID, &v.LeadID, &v.OperatorID, &v.Status, &v.Text, &created, &assigned, &closed)
	v.CreatedAt, v.AssignedAt, v.ClosedAt = shownTime(created), orNone(assigned), orNone(closed)
	if v.OperatorID != nil {
		v.How = new("automatic")
	}
	return v, err
}

func shownTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func orNone(t *time.Time) *string {
	if t == nil {
		return nil
	}
	return new(shownTime(*t))
}
