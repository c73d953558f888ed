-- The tables of the ledger. Nobody owns them who writes them: the owner cannot log in, writers may only insert and
-- read, and row-level security holds for the owner as well. A keeper may take contents out and let old entries go,
-- by functions that leave a trace. What a superuser does instead shows in the chain.

CREATE SCHEMA ledger;

-- One stream for each agent: namespace/agent.
CREATE TABLE ledger.stream (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[^/]+/.+$' AND octet_length(name) <= 512),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- One link of a chain. What people ask for is made from the text that is hashed, so that it cannot say anything else.
-- A content that a keeper took out leaves its place, its hash, and nothing that it could be guessed from.
CREATE TABLE ledger.entry (
    stream bigint NOT NULL REFERENCES ledger.stream (id),
    sequence bigint NOT NULL CHECK (sequence > 0),
    previous bytea NOT NULL CHECK (octet_length(previous) = 32),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    content_hash bytea NOT NULL CHECK (octet_length(content_hash) = 32),
    salt bytea CHECK (octet_length(salt) = 16),
    canonical text,
    -- What is the same event when it is sent again.
    event_id bytea CHECK (octet_length(event_id) = 32),
    entered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    at timestamptz GENERATED ALWAYS AS (to_timestamp((canonical::jsonb ->> 'at')::numeric::float8 / 1e9)) STORED,
    event text GENERATED ALWAYS AS (canonical::jsonb ->> 'event') STORED,
    session text GENERATED ALWAYS AS (canonical::jsonb ->> 'session') STORED,
    PRIMARY KEY (stream, sequence),
    UNIQUE (stream, previous),
    UNIQUE (stream, event_id),
    CHECK (num_nulls(salt, canonical, event_id) IN (0, 3))
);
CREATE INDEX entry_session ON ledger.entry (session, stream, sequence) WHERE session IS NOT NULL;
CREATE INDEX entry_at ON ledger.entry USING brin (at);

-- What each call of a model cost. Money is in millionths of a US dollar. By months, so that what is old enough goes
-- with its whole partition.
CREATE TABLE ledger.charge (
    at timestamptz NOT NULL,
    stream bigint NOT NULL REFERENCES ledger.stream (id),
    sequence bigint NOT NULL,
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
    -- Who says so.
    cost_source text CHECK (cost_source IN ('telemetry', 'prices')),
    PRIMARY KEY (at, stream, sequence),
    CHECK ((micro_usd IS NULL) = (cost_source IS NULL))
) PARTITION BY RANGE (at);
CREATE INDEX charge_stream ON ledger.charge (stream, at);

-- Each run, however it ended, and what the agent says that it cost as a whole.
CREATE TABLE ledger.run (
    at timestamptz NOT NULL,
    stream bigint NOT NULL REFERENCES ledger.stream (id),
    sequence bigint NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('succeeded', 'failed', 'cancelled')),
    session text,
    user_pseudonym text,
    trace text,
    duration_us bigint,
    turns bigint,
    micro_usd bigint CHECK (micro_usd >= 0),
    PRIMARY KEY (at, stream, sequence)
) PARTITION BY RANGE (at);
CREATE INDEX run_stream ON ledger.run (stream, at);

-- What a model costs from a day on, in millionths of a US dollar for a million tokens. The longest beginning of a
-- model's name that is here decides.
CREATE TABLE ledger.price (
    model text NOT NULL CHECK (model <> ''),
    valid_from timestamptz NOT NULL,
    input bigint NOT NULL CHECK (input >= 0),
    output bigint NOT NULL CHECK (output >= 0),
    cache_read bigint NOT NULL CHECK (cache_read >= 0),
    cache_write bigint NOT NULL CHECK (cache_write >= 0),
    entered_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (model, valid_from)
);

-- Nothing where no price is known, or nothing is known to have been used.
CREATE FUNCTION ledger.estimate(
    of_model text, of_time timestamptz, input_tokens bigint, output_tokens bigint, cache_read_tokens bigint,
    cache_write_tokens bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT round((input_tokens::numeric * input + output_tokens::numeric * output
        + cache_read_tokens::numeric * cache_read + cache_write_tokens::numeric * cache_write) / 1000000)::bigint
    FROM ledger.price
    WHERE starts_with(of_model, model) AND valid_from <= of_time
        AND input_tokens + output_tokens + cache_read_tokens + cache_write_tokens > 0
    ORDER BY length(model) DESC, valid_from DESC LIMIT 1
$$;

DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['ledger_owner', 'ledger_writer', 'ledger_reader', 'ledger_keeper'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role);
        END IF;
    END LOOP;
END
$$;
-- What a keeper does is entered.
GRANT ledger_writer TO ledger_keeper;

-- Only the functions for keepers set `ledger.permit`, and only the owner could do something with it.
CREATE FUNCTION ledger.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'TRUNCATE' AND TG_TABLE_NAME = 'entry' AND current_setting('ledger.permit', true) = 'keeper' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'entries of the ledger are never changed or deleted' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER entries_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
CREATE TRIGGER streams_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.stream
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();

CREATE FUNCTION ledger.refuse_but_taking_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF num_nulls(NEW.salt, NEW.canonical, NEW.event_id) <> 3
        OR (NEW.stream, NEW.sequence, NEW.previous, NEW.hash, NEW.content_hash, NEW.entered_at)
            IS DISTINCT FROM (OLD.stream, OLD.sequence, OLD.previous, OLD.hash, OLD.content_hash, OLD.entered_at) THEN
        RAISE EXCEPTION 'a content can be taken out of an entry; nothing else of it can be changed'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER links_stay BEFORE UPDATE ON ledger.entry
    FOR EACH ROW EXECUTE FUNCTION ledger.refuse_but_taking_out();

-- Makes the partitions of a month, where there are none: for writers, who own nothing.
CREATE FUNCTION ledger.ensure_month(moment timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    first date := date_trunc('month', moment AT TIME ZONE 'UTC')::date;
    month text := to_char(first, 'YYYY_MM');
    of_table text;
BEGIN
    IF to_regclass('ledger.run_' || month) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(7310002);
    FOREACH of_table IN ARRAY ARRAY['charge', 'run'] LOOP
        IF to_regclass('ledger.' || of_table || '_' || month) IS NULL THEN
            EXECUTE format('CREATE TABLE ledger.%I PARTITION OF ledger.%I FOR VALUES FROM (%L) TO (%L)',
                of_table || '_' || month, of_table, first || ' 00:00:00+00',
                (first + interval '1 month')::date || ' 00:00:00+00');
        END IF;
    END LOOP;
END
$$;

-- Takes contents out of entries, and whatever names a person out of what they cost. The links stay.
CREATE FUNCTION ledger.take_out(of_stream bigint, places bigint[]) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET ledger.permit = 'keeper' AS $$
DECLARE
    taken bigint;
BEGIN
    UPDATE ledger.charge SET session = NULL, user_pseudonym = NULL, trace = NULL, purpose = NULL
        WHERE stream = of_stream AND sequence = ANY (places);
    UPDATE ledger.run SET session = NULL, user_pseudonym = NULL, trace = NULL
        WHERE stream = of_stream AND sequence = ANY (places);
    UPDATE ledger.entry SET salt = NULL, canonical = NULL, event_id = NULL
        WHERE stream = of_stream AND sequence = ANY (places);
    GET DIAGNOSTICS taken = ROW_COUNT;
    RETURN taken;
END
$$;

-- Lets the links of a stream go up to a place, and never the last.
CREATE FUNCTION ledger.let_go(of_stream bigint, through bigint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET ledger.permit = 'keeper' AS $$
DECLARE
    gone bigint;
BEGIN
    DELETE FROM ledger.entry WHERE stream = of_stream AND sequence <= through
        AND sequence < (SELECT max(sequence) FROM ledger.entry WHERE stream = of_stream);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;

-- Lets go what was charged and run in months that were over by then, and says which.
CREATE FUNCTION ledger.let_costs_go(until timestamptz) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT relname FROM pg_class JOIN pg_inherits ON inhrelid = pg_class.oid
        WHERE inhparent IN ('ledger.charge'::regclass, 'ledger.run'::regclass) AND relname ~ '_\d{4}_\d\d$'
            AND (to_date(right(relname, 7), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC' <= until
        ORDER BY relname
    LOOP
        EXECUTE format('DROP TABLE ledger.%I', name);
        IF name LIKE 'charge_%' THEN
            RETURN NEXT replace(right(name, 7), '_', '-');
        END IF;
    END LOOP;
END
$$;

-- What was spent, for people and dashboards: by calls, and by runs whose agent says what they cost as a whole.
CREATE VIEW ledger.spend WITH (security_invoker = true) AS
    SELECT what.at, split_part(stream.name, '/', 1) AS namespace,
        substr(stream.name, strpos(stream.name, '/') + 1) AS agent, what.kind, what.model, what.outcome, what.session,
        what.user_pseudonym, what.trace, what.purpose, what.duration_us, what.input_tokens, what.output_tokens,
        what.cache_read_tokens, what.cache_write_tokens, what.micro_usd, what.cost_source
    FROM (
        SELECT at, stream, 'call' AS kind, model, outcome, session, user_pseudonym, trace, purpose, duration_us,
            input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, micro_usd, cost_source
        FROM ledger.charge
        UNION ALL
        SELECT at, stream, 'run', '', outcome, session, user_pseudonym, trace, NULL, duration_us, 0, 0, 0, 0, micro_usd,
            'telemetry'
        FROM ledger.run WHERE micro_usd IS NOT NULL
    ) AS what JOIN ledger.stream ON stream.id = what.stream;
CREATE VIEW ledger.runs WITH (security_invoker = true) AS
    SELECT run.at, split_part(stream.name, '/', 1) AS namespace,
        substr(stream.name, strpos(stream.name, '/') + 1) AS agent, run.outcome, run.session, run.user_pseudonym,
        run.trace, run.duration_us, run.turns, run.micro_usd
    FROM ledger.run JOIN ledger.stream ON stream.id = run.stream;
CREATE VIEW ledger.spend_daily WITH (security_invoker = true) AS
    SELECT date_trunc('day', at, 'UTC') AS day, namespace, agent, model,
        count(*) FILTER (WHERE kind = 'call') AS calls,
        count(*) FILTER (WHERE kind = 'call' AND outcome = 'failed') AS failed, count(*) FILTER (WHERE micro_usd IS NULL) AS without_cost,
        sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
        sum(cache_read_tokens) AS cache_read_tokens, sum(cache_write_tokens) AS cache_write_tokens,
        coalesce(sum(micro_usd), 0) AS micro_usd
    FROM ledger.spend GROUP BY 1, 2, 3, 4;

DO $$
DECLARE
    name text;
    keeping text := $check$current_setting('ledger.permit', true) = 'keeper'$check$;
BEGIN
    FOREACH name IN ARRAY ARRAY['stream', 'entry', 'charge', 'run', 'price'] LOOP
        EXECUTE format('REVOKE ALL ON ledger.%I FROM PUBLIC', name);
        EXECUTE format('GRANT SELECT ON ledger.%I TO ledger_writer, ledger_reader', name);
        EXECUTE format('ALTER TABLE ledger.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE ledger.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY read ON ledger.%I FOR SELECT TO ledger_writer, ledger_reader USING (true)', name);
        EXECUTE format('ALTER TABLE ledger.%I OWNER TO ledger_owner', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['stream', 'entry', 'charge', 'run'] LOOP
        EXECUTE format('GRANT INSERT ON ledger.%I TO ledger_writer', name);
        EXECUTE format('CREATE POLICY append ON ledger.%I FOR INSERT TO ledger_writer WITH CHECK (true)', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['entry', 'charge', 'run'] LOOP
        EXECUTE format('CREATE POLICY keep ON ledger.%I TO ledger_owner USING (%s) WITH CHECK (%s)', name, keeping, keeping);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['spend', 'spend_daily', 'runs'] LOOP
        EXECUTE format('ALTER VIEW ledger.%I OWNER TO ledger_owner', name);
        EXECUTE format('GRANT SELECT ON ledger.%I TO ledger_writer, ledger_reader', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['refuse()', 'refuse_but_taking_out()', 'ensure_month(timestamptz)',
        'estimate(text, timestamptz, bigint, bigint, bigint, bigint)', 'take_out(bigint, bigint[])',
        'let_go(bigint, bigint)', 'let_costs_go(timestamptz)'] LOOP
        EXECUTE format('ALTER FUNCTION ledger.%s OWNER TO ledger_owner', name);
        EXECUTE format('REVOKE ALL ON FUNCTION ledger.%s FROM PUBLIC', name);
    END LOOP;
END
$$;
GRANT INSERT, UPDATE ON ledger.price TO ledger_keeper;
CREATE POLICY keep ON ledger.price TO ledger_keeper USING (true) WITH CHECK (true);
GRANT EXECUTE ON FUNCTION ledger.ensure_month(timestamptz),
    ledger.estimate(text, timestamptz, bigint, bigint, bigint, bigint) TO ledger_writer;
GRANT EXECUTE ON FUNCTION ledger.take_out(bigint, bigint[]), ledger.let_go(bigint, bigint),
    ledger.let_costs_go(timestamptz) TO ledger_keeper;
ALTER SCHEMA ledger OWNER TO ledger_owner;
GRANT USAGE ON SCHEMA ledger TO ledger_writer, ledger_reader;
