-- For workers of before 0008_growth.sql. Removes the p_limit oldest messages that took effect before p_before, or all if they are fewer; returns
-- how many.
CREATE OR REPLACE FUNCTION sparq_expire_inbox(p_before timestamptz, p_limit bigint)
RETURNS bigint LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off AS $$
DECLARE
    v_count bigint;
BEGIN
    DELETE FROM inbox i
    WHERE i.ctid = ANY (ARRAY(SELECT o.ctid FROM inbox o WHERE o.created_at < p_before ORDER BY o.created_at LIMIT p_limit));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION sparq_expire_inbox IS 'Removes some messages that took effect too long ago.';
