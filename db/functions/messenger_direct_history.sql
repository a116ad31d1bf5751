-- A page of a user's direct messages, newest first: with one person, or, where that is NULL, with anybody.
CREATE OR REPLACE FUNCTION messenger_direct_history(p_topic text, p_with text, p_before bigint, p_limit bigint)
RETURNS TABLE (seq bigint, at text, type text, data text)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    v_floor bigint := coalesce((SELECT t.floor FROM topics t WHERE t.topic = p_topic), 0);
BEGIN
    IF p_with IS NULL THEN
        RETURN QUERY
        SELECT e.seq, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), e.type, e.data FROM events e
        WHERE e.topic || E'\n' = p_topic || E'\n' AND e.type = 'direct.message' AND e.seq < p_before AND e.seq > v_floor
        ORDER BY e.seq DESC LIMIT p_limit;
    ELSE
        RETURN QUERY
        SELECT e.seq, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), e.type, e.data FROM events e
        WHERE messenger_talk(e.topic, e.data) = p_topic || E'\n' || p_with AND e.type = 'direct.message'
            AND e.seq < p_before AND e.seq > v_floor
        ORDER BY e.seq DESC LIMIT p_limit;
    END IF;
END
$$;
COMMENT ON FUNCTION messenger_direct_history IS 'A page of a user''s direct messages.';
