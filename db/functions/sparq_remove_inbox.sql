-- Removes the messages at p_rows that took effect before p_before. "IS TRUE": as in sparq_remove_events.
CREATE OR REPLACE FUNCTION sparq_remove_inbox(p_rows tid[], p_before timestamptz, OUT removed bigint, OUT latest timestamptz)
LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
BEGIN
    WITH old AS (
        DELETE FROM inbox i WHERE i.ctid = ANY (p_rows) AND (i.created_at < p_before) IS TRUE RETURNING i.created_at
    )
    SELECT count(*), max(old.created_at) INTO removed, latest FROM old;
END
$$;
COMMENT ON FUNCTION sparq_remove_inbox IS 'Removes messages that took effect too long ago.';
