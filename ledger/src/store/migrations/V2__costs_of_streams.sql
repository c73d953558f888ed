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
    FOR month IN
        SELECT right(relname, 7) FROM pg_class JOIN pg_inherits ON inhrelid = pg_class.oid
        WHERE inhparent = 'ledger.charge'::regclass AND relname ~ '_\d{4}_\d\d$'
            AND (to_date(right(relname, 7), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC' <= until
        ORDER BY relname
    LOOP
        EXECUTE format('DELETE FROM ledger.%I WHERE stream = ANY ($1)', 'charge_' || month) USING ids;
        GET DIAGNOSTICS gone = ROW_COUNT;
        EXECUTE format('DELETE FROM ledger.%I WHERE stream = ANY ($1)', 'run_' || month) USING ids;
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

ALTER FUNCTION ledger.let_costs_of_streams_go(text[], timestamptz) OWNER TO ledger_owner;
REVOKE ALL ON FUNCTION ledger.let_costs_of_streams_go(text[], timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.let_costs_of_streams_go(text[], timestamptz) TO ledger_keeper;
