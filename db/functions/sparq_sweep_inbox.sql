-- Removes the p_limit oldest messages that took effect between the two times, or all if they are fewer: as sparq_sweep_events.
CREATE OR REPLACE FUNCTION sparq_sweep_inbox(p_from timestamptz, p_before timestamptz, p_limit bigint, OUT removed bigint, OUT reached timestamptz)
LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off AS $$
BEGIN
    IF sparq_sweeping() THEN
        SELECT r.removed, CASE WHEN r.removed < p_limit THEN greatest(p_from, p_before) ELSE r.latest END INTO removed, reached
        FROM sparq_remove_inbox(
            ARRAY(SELECT o.ctid FROM inbox o WHERE o.created_at >= p_from AND o.created_at < p_before ORDER BY o.created_at LIMIT p_limit),
            p_before
        ) r;
    END IF;
END
$$;
COMMENT ON FUNCTION sparq_sweep_inbox IS 'Removes some messages that took effect too long ago.';
