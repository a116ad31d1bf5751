-- Those of the pairs that are members. Every message to a room asks: one plan for all lengths of the arrays, and no scan of the whole table.
CREATE OR REPLACE FUNCTION messenger_memberships(p_rooms text[], p_members text[]) RETURNS TABLE (room text, member text)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT m.room::text, m.member::text
    FROM unnest(p_rooms, p_members) AS k (room, member)
    JOIN members m ON m.room = k.room AND m.member = k.member;
END
$$;
COMMENT ON FUNCTION messenger_memberships IS 'Those of the pairs that are members.';
