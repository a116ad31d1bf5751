-- All rooms, by name, behind a name.
CREATE OR REPLACE FUNCTION messenger_all_rooms(p_after text, p_limit bigint) RETURNS TABLE (room text, owner text)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT r.name::text, r.owner::text FROM rooms r WHERE r.name > p_after ORDER BY r.name LIMIT p_limit;
END
$$;
COMMENT ON FUNCTION messenger_all_rooms IS 'A page of all rooms.';
