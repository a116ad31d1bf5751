-- Removes the messages of a stretch of blocks that are older than p_before, p_limit at most: as sparq_patrol_events.
CREATE OR REPLACE FUNCTION sparq_patrol_inbox(p_block bigint, p_blocks bigint, p_before timestamptz, p_limit bigint, OUT removed bigint, OUT next bigint)
LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
BEGIN
    IF sparq_sweeping() THEN
        SELECT r.removed INTO removed
        FROM sparq_remove_inbox(
            ARRAY(
                SELECT o.ctid FROM inbox o
                WHERE o.ctid >= format('(%s,0)', p_block)::tid AND o.ctid < format('(%s,0)', p_block + p_blocks)::tid
                    AND (o.created_at < p_before) IS TRUE
                LIMIT p_limit
            ),
            p_before
        ) r;
        next := CASE WHEN removed = p_limit THEN p_block ELSE sparq_next_block('inbox', p_block + p_blocks) END;
    END IF;
END
$$;
COMMENT ON FUNCTION sparq_patrol_inbox IS 'Removes old messages that a sweep has passed.';
