-- The rooms that a user is in, by name, behind a name, with the last numbers of their logs.
CREATE OR REPLACE FUNCTION messenger_own_rooms(p_member text, p_after text, p_limit bigint) RETURNS TABLE (room text, owner text, seq bigint)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT m.room::text, r.owner::text, coalesce(t.seq, 0)
    FROM (SELECT k.room FROM members k WHERE k.member = p_member AND k.room > p_after ORDER BY k.room LIMIT p_limit) m
    JOIN rooms r ON r.name = m.room
    LEFT JOIN topics t ON t.topic = 'room:' || m.room
    ORDER BY m.room;
END
$$;
COMMENT ON FUNCTION messenger_own_rooms IS 'A page of the rooms that a user is in.';
