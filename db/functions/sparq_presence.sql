-- Which of the users are present, by their indexes, and as of when: a transaction begins before its snapshot, so what a later look sees has a
-- later time. Call it as one statement.
CREATE OR REPLACE FUNCTION sparq_presence(p_users text[]) RETURNS TABLE (user_index bigint, is_online boolean, at text)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY
    SELECT x.index, EXISTS (SELECT FROM directory d WHERE d.topic = 'user:' || x.user_id OFFSET 0),
        to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    FROM unnest(p_users) WITH ORDINALITY AS x (user_id, index);
END
$$;
COMMENT ON FUNCTION sparq_presence IS 'Which of the users are present.';
