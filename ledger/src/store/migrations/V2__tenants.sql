-- Roles that are bound to namespaces see and enter what is of these alone; all others see everything. And what was
-- charged to some streams can go without that of others.

CREATE TABLE ledger.tenant (
    -- A role that logs in.
    role name NOT NULL,
    namespace text NOT NULL CHECK (namespace <> '' AND strpos(namespace, '/') = 0),
    PRIMARY KEY (role, namespace)
);
ALTER TABLE ledger.tenant OWNER TO ledger_owner;
REVOKE ALL ON ledger.tenant FROM PUBLIC;

-- Nothing for a role that is bound to none. Whoever logged in counts, whatever role they have set since.
CREATE FUNCTION ledger.bound_to() RETURNS text[]
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_agg(namespace) FROM ledger.tenant WHERE role = session_user
$$;

-- The streams of these namespaces; nothing where all are meant.
CREATE FUNCTION ledger.own_streams() RETURNS bigint[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN ledger.bound_to() IS NULL THEN NULL
        ELSE ARRAY(SELECT id FROM ledger.stream WHERE split_part(name, '/', 1) = ANY (ledger.bound_to())) END
$$;

-- A keeper's functions run as the owner, to whom everything is open, so they ask here.
CREATE FUNCTION ledger.refuse_others(of_stream bigint) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF ledger.bound_to() IS NOT NULL AND NOT EXISTS (SELECT FROM ledger.stream
        WHERE id = of_stream AND split_part(name, '/', 1) = ANY (ledger.bound_to())) THEN
        RAISE EXCEPTION 'the stream is of a namespace that % is not bound to', session_user
            USING ERRCODE = 'insufficient_privilege';
    END IF;
END
$$;

DROP POLICY read ON ledger.stream;
DROP POLICY append ON ledger.stream;
CREATE POLICY read ON ledger.stream FOR SELECT TO ledger_writer, ledger_reader USING (
    (SELECT ledger.bound_to()) IS NULL OR split_part(name, '/', 1) = ANY ((SELECT ledger.bound_to())::text[]));
CREATE POLICY append ON ledger.stream FOR INSERT TO ledger_writer WITH CHECK (
    (SELECT ledger.bound_to()) IS NULL OR split_part(name, '/', 1) = ANY ((SELECT ledger.bound_to())::text[]));
CREATE POLICY look ON ledger.stream FOR SELECT TO ledger_owner USING (true);

DO $$
DECLARE
    name text;
    own text := '(SELECT ledger.own_streams()) IS NULL OR stream = ANY ((SELECT ledger.own_streams())::bigint[])';
BEGIN
    FOREACH name IN ARRAY ARRAY['entry', 'charge', 'run'] LOOP
        EXECUTE format('DROP POLICY read ON ledger.%I', name);
        EXECUTE format('DROP POLICY append ON ledger.%I', name);
        EXECUTE format('CREATE POLICY read ON ledger.%I FOR SELECT TO ledger_writer, ledger_reader USING (%s)', name, own);
        EXECUTE format('CREATE POLICY append ON ledger.%I FOR INSERT TO ledger_writer WITH CHECK (%s)', name, own);
    END LOOP;
END
$$;
DROP POLICY keep ON ledger.price;
CREATE POLICY keep ON ledger.price TO ledger_keeper USING ((SELECT ledger.bound_to()) IS NULL)
    WITH CHECK ((SELECT ledger.bound_to()) IS NULL);

CREATE OR REPLACE FUNCTION ledger.take_out(of_stream bigint, places bigint[]) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET ledger.permit = 'keeper' AS $$
DECLARE
    taken bigint;
BEGIN
    PERFORM ledger.refuse_others(of_stream);
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

CREATE OR REPLACE FUNCTION ledger.let_go(of_stream bigint, through bigint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET ledger.permit = 'keeper' AS $$
DECLARE
    gone bigint;
BEGIN
    PERFORM ledger.refuse_others(of_stream);
    DELETE FROM ledger.entry WHERE stream = of_stream AND sequence <= through
        AND sequence < (SELECT max(sequence) FROM ledger.entry WHERE stream = of_stream);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;

-- Whole months of all streams, so nobody may who is bound to some.
CREATE OR REPLACE FUNCTION ledger.let_costs_go(until timestamptz) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text;
BEGIN
    IF ledger.bound_to() IS NOT NULL THEN
        RAISE EXCEPTION '% is bound to namespaces and names the streams whose costs are to go', session_user
            USING ERRCODE = 'insufficient_privilege';
    END IF;
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

-- Lets go what was charged to some streams, and their runs, in months that were over by then, and says which. A month
-- of which nothing is left goes with its partitions.
CREATE FUNCTION ledger.let_costs_of_streams_go(names text[], until timestamptz) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET ledger.permit = 'keeper' AS $$
DECLARE
    ids bigint[] := ARRAY(SELECT id FROM ledger.stream WHERE name = ANY (names));
    month text;
    gone bigint;
    of_runs bigint;
    is_empty boolean;
BEGIN
    PERFORM ledger.refuse_others(id) FROM unnest(ids) AS id;
    FOR month IN
        SELECT right(relname, 7) FROM pg_class JOIN pg_inherits ON inhrelid = pg_class.oid
        WHERE inhparent = 'ledger.charge'::regclass AND relname ~ '_\d{4}_\d\d$'
            AND (to_date(right(relname, 7), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC' <= until
        ORDER BY relname
    LOOP
        DELETE FROM ledger.charge WHERE stream = ANY (ids) AND at >= to_date(month, 'YYYY_MM')::timestamp AT TIME ZONE 'UTC'
            AND at < (to_date(month, 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC';
        GET DIAGNOSTICS gone = ROW_COUNT;
        DELETE FROM ledger.run WHERE stream = ANY (ids) AND at >= to_date(month, 'YYYY_MM')::timestamp AT TIME ZONE 'UTC'
            AND at < (to_date(month, 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC';
        GET DIAGNOSTICS of_runs = ROW_COUNT;
        EXECUTE format('SELECT NOT EXISTS (SELECT FROM ledger.%I) AND NOT EXISTS (SELECT FROM ledger.%I)',
            'charge_' || month, 'run_' || month) INTO is_empty;
        IF is_empty THEN
            EXECUTE format('DROP TABLE ledger.%I, ledger.%I', 'charge_' || month, 'run_' || month);
        END IF;
        IF gone + of_runs > 0 THEN
            RETURN NEXT replace(month, '_', '-');
        END IF;
    END LOOP;
END
$$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['bound_to()', 'own_streams()', 'refuse_others(bigint)',
        'let_costs_of_streams_go(text[], timestamptz)'] LOOP
        EXECUTE format('ALTER FUNCTION ledger.%s OWNER TO ledger_owner', name);
        EXECUTE format('REVOKE ALL ON FUNCTION ledger.%s FROM PUBLIC', name);
    END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION ledger.bound_to(), ledger.own_streams() TO ledger_writer, ledger_reader;
GRANT EXECUTE ON FUNCTION ledger.let_costs_of_streams_go(text[], timestamptz) TO ledger_keeper;
