-- The tables of the ledger. Nobody owns them who writes them: the owner cannot log in, writers may only insert and
-- read, and row-level security holds for the owner as well. What a superuser does instead shows in the chain.

CREATE SCHEMA ledger;

-- One stream for each agent: namespace/agent.
CREATE TABLE ledger.stream (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[^/]+/.+$' AND octet_length(name) <= 512),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- One link of a chain. What people ask for is made from the text that is hashed, so that it cannot say anything else.
CREATE TABLE ledger.entry (
    stream bigint NOT NULL REFERENCES ledger.stream (id),
    sequence bigint NOT NULL CHECK (sequence > 0),
    previous bytea NOT NULL CHECK (octet_length(previous) = 32),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    -- What is the same event when it is sent again.
    event_id bytea NOT NULL CHECK (octet_length(event_id) = 32),
    canonical text NOT NULL,
    entered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    at timestamptz NOT NULL GENERATED ALWAYS AS (to_timestamp((canonical::jsonb ->> 'at')::numeric::float8 / 1e9)) STORED,
    event text NOT NULL GENERATED ALWAYS AS (canonical::jsonb ->> 'event') STORED,
    session text GENERATED ALWAYS AS (canonical::jsonb ->> 'session') STORED,
    PRIMARY KEY (stream, sequence),
    UNIQUE (stream, previous),
    UNIQUE (stream, event_id)
);
CREATE INDEX entry_session ON ledger.entry (session, stream, sequence) WHERE session IS NOT NULL;
CREATE INDEX entry_at ON ledger.entry USING brin (at);

-- What each call of a model cost. Money is in millionths of a US dollar. By months, so that what is old enough goes
-- with its whole partition.
CREATE TABLE ledger.charge (
    at timestamptz NOT NULL,
    event_id bytea NOT NULL CHECK (octet_length(event_id) = 32),
    stream bigint NOT NULL REFERENCES ledger.stream (id),
    model text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('answered', 'failed', 'refused')),
    session text,
    user_pseudonym text,
    trace text,
    purpose text,
    duration_us bigint,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    micro_usd bigint CHECK (micro_usd >= 0),
    PRIMARY KEY (at, stream, event_id)
) PARTITION BY RANGE (at);
CREATE INDEX charge_stream ON ledger.charge (stream, at);

CREATE FUNCTION ledger.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'entries of the ledger are never changed or deleted' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER entries_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER streams_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.stream
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();

DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['ledger_owner', 'ledger_writer', 'ledger_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role);
        END IF;
    END LOOP;
END
$$;

-- Makes the partition of a month, if there is none: for writers, who own nothing.
CREATE FUNCTION ledger.ensure_month(moment timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    first date := date_trunc('month', moment AT TIME ZONE 'UTC')::date;
    name text := 'charge_' || to_char(first, 'YYYY_MM');
BEGIN
    PERFORM pg_advisory_xact_lock(7310002);
    IF to_regclass('ledger.' || name) IS NULL THEN
        EXECUTE format(
            'CREATE TABLE ledger.%I PARTITION OF ledger.charge FOR VALUES FROM (%L) TO (%L)',
            name, first || ' 00:00:00+00', (first + interval '1 month')::date || ' 00:00:00+00');
    END IF;
END
$$;
ALTER FUNCTION ledger.ensure_month(timestamptz) OWNER TO ledger_owner;
REVOKE ALL ON FUNCTION ledger.ensure_month(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.ensure_month(timestamptz) TO ledger_writer;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['stream', 'entry', 'charge'] LOOP
        EXECUTE format('REVOKE ALL ON ledger.%I FROM PUBLIC', name);
        EXECUTE format('GRANT SELECT ON ledger.%I TO ledger_writer, ledger_reader', name);
        EXECUTE format('GRANT INSERT ON ledger.%I TO ledger_writer', name);
        EXECUTE format('ALTER TABLE ledger.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE ledger.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY append ON ledger.%I FOR INSERT TO ledger_writer WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY read ON ledger.%I FOR SELECT TO ledger_writer, ledger_reader USING (true)', name);
        EXECUTE format('ALTER TABLE ledger.%I OWNER TO ledger_owner', name);
    END LOOP;
END
$$;
ALTER FUNCTION ledger.refuse() OWNER TO ledger_owner;
ALTER SCHEMA ledger OWNER TO ledger_owner;
GRANT USAGE ON SCHEMA ledger TO ledger_writer, ledger_reader;
