-- The job of Mini-CRM in PostgreSQL: a call for each command, each in a transaction of its own.
--
-- What is left out is in PostgreSQL's favour: no foreign keys, no index but the keys, no waiting contacts that a close
-- would have to serve, no idempotency, and shares that are right on average only.
DROP SCHEMA IF EXISTS crm CASCADE;
CREATE SCHEMA crm;
SET search_path = crm;

CREATE TABLE operators (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    active   boolean NOT NULL DEFAULT true,
    max_load integer NOT NULL,
    load     integer NOT NULL DEFAULT 0
) WITH (fillfactor = 10); -- room for the versions of the hot rows on their own pages
CREATE TABLE sources (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE TABLE links (
    source_id   bigint,
    operator_id bigint,
    weight      bigint NOT NULL,
    PRIMARY KEY (source_id, operator_id)
);
CREATE TABLE leads (
    id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE,
    name  text NOT NULL,
    phone text NOT NULL
);
CREATE TABLE contacts (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id   bigint NOT NULL,
    lead_id     bigint NOT NULL,
    operator_id bigint,
    status      text NOT NULL,
    body        text NOT NULL,
    created_at  timestamptz NOT NULL,
    assigned_at timestamptz,
    closed_at   timestamptz
) WITH (fillfactor = 80); -- room for the close

-- find_lead finds or creates a lead by email.
CREATE FUNCTION find_lead(of_email text, of_name text, of_phone text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    found_id bigint;
BEGIN
    SELECT id INTO found_id FROM leads WHERE email = of_email;
    IF found_id IS NULL THEN
        INSERT INTO leads (email, name, phone) VALUES (of_email, of_name, of_phone)
        ON CONFLICT (email) DO NOTHING RETURNING id INTO found_id;
    END IF;
    IF found_id IS NULL THEN -- another was first
        SELECT id INTO found_id FROM leads WHERE email = of_email;
    END IF;
    RETURN found_id;
END $$;

-- choose_skipping draws among the eligible operators that nobody has locked just now, and locks the one it drew: the
-- exponential race, whose winner is drawn by weight. Where all are locked it tries again a little later: to wait for one
-- of them, while a lock on an operator that turned out to be full is still held, could be a deadlock.
CREATE FUNCTION choose_skipping(of_source bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    chosen bigint;
BEGIN
    LOOP
        SELECT o.id INTO chosen FROM links l JOIN operators o ON o.id = l.operator_id
        WHERE l.source_id = of_source AND l.weight > 0 AND o.active AND o.load < o.max_load
        ORDER BY -ln(1 - random()) / l.weight LIMIT 1 FOR UPDATE OF o SKIP LOCKED;
        IF chosen IS NOT NULL THEN
            RETURN chosen;
        END IF;
        PERFORM FROM links l JOIN operators o ON o.id = l.operator_id
        WHERE l.source_id = of_source AND l.weight > 0 AND o.active AND o.load < o.max_load;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
        PERFORM pg_sleep(0.0005);
    END LOOP;
END $$;

-- choose_in_order is the same with fewer looks at operators: the race is run among the links, and then the operators are
-- looked at in its order, until one is eligible and not locked.
CREATE FUNCTION choose_in_order(of_source bigint) RETURNS bigint LANGUAGE plpgsql
    SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    chosen bigint;
BEGIN
    LOOP
        SELECT o.id INTO chosen FROM (
            SELECT operator_id FROM links WHERE source_id = of_source AND weight > 0 ORDER BY -ln(1 - random()) / weight
        ) l JOIN operators o ON o.id = l.operator_id
        WHERE o.active AND o.load < o.max_load LIMIT 1 FOR UPDATE OF o SKIP LOCKED;
        IF chosen IS NOT NULL THEN
            RETURN chosen;
        END IF;
        PERFORM FROM links l JOIN operators o ON o.id = l.operator_id
        WHERE l.source_id = of_source AND l.weight > 0 AND o.active AND o.load < o.max_load;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
        PERFORM pg_sleep(0.0005);
    END LOOP;
END $$;

-- choose_locking_all locks all eligible operators, in the order of their ids, before it draws.
CREATE FUNCTION choose_locking_all(of_source bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    chosen bigint;
BEGIN
    WITH eligible AS (
        SELECT o.id, l.weight FROM links l JOIN operators o ON o.id = l.operator_id
        WHERE l.source_id = of_source AND l.weight > 0 AND o.active AND o.load < o.max_load
        ORDER BY o.id FOR UPDATE OF o
    )
    SELECT id INTO chosen FROM eligible ORDER BY -ln(1 - random()) / weight LIMIT 1;
    RETURN chosen;
END $$;

-- create_contact is the whole of POST /v1/contacts. CHOOSE is one of the functions above.
CREATE FUNCTION create_contact(of_source bigint, of_email text, of_name text, of_phone text, of_body text,
    OUT contact bigint, OUT lead bigint, OUT operator bigint, OUT at timestamptz) LANGUAGE plpgsql AS $$
BEGIN
    lead := find_lead(of_email, of_name, of_phone);
    operator := CHOOSE(of_source);
    at := clock_timestamp();
    IF operator IS NOT NULL THEN
        UPDATE operators SET load = load + 1 WHERE id = operator;
    END IF;
    INSERT INTO contacts (source_id, lead_id, operator_id, status, body, created_at, assigned_at)
    VALUES (of_source, lead, operator, CASE WHEN operator IS NULL THEN 'open' ELSE 'assigned' END, of_body, at,
        CASE WHEN operator IS NOT NULL THEN at END)
    RETURNING id INTO contact;
END $$;

-- close_contact is the whole of POST /v1/contacts/{id}/close.
CREATE FUNCTION close_contact(of_id bigint) RETURNS SETOF contacts LANGUAGE plpgsql AS $$
DECLARE
    c contacts;
BEGIN
    UPDATE contacts SET status = 'closed', closed_at = clock_timestamp()
    WHERE id = of_id AND status <> 'closed' RETURNING * INTO c;
    IF c.id IS NULL THEN
        RETURN;
    END IF;
    IF c.operator_id IS NOT NULL THEN
        UPDATE operators SET load = load - 1 WHERE id = c.operator_id;
    END IF;
    RETURN NEXT c;
END $$;
