-- A page of a topic's log, newest first, of what retention has kept. The time has the form that clients get.
CREATE OR REPLACE FUNCTION messenger_history(p_topic text, p_before bigint, p_limit bigint)
RETURNS TABLE (seq bigint, at text, type text, data text)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT e.seq, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), e.type, e.data FROM events e
    WHERE e.topic = p_topic AND e.seq < p_before AND e.seq > coalesce((SELECT t.floor FROM topics t WHERE t.topic = p_topic), 0)
    ORDER BY e.seq DESC LIMIT p_limit;
END
$$;
COMMENT ON FUNCTION messenger_history IS 'A page of a topic''s log.';
