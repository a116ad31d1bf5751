-- Removes the events of a stretch of blocks that are older than p_before, p_limit at most.
--
-- If a clock went back, or old rows were brought in by hand, rows lie behind the place that a sweep has reached. They are looked for in the
-- table itself, p_blocks of its blocks at a time, so the search costs the same however much was deleted.
--
-- Row: how many went (NULL if another worker has the lock), and at which block the next search begins.
CREATE OR REPLACE FUNCTION sparq_patrol_events(p_block bigint, p_blocks bigint, p_before timestamptz, p_limit bigint, OUT removed bigint, OUT next bigint)
LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
BEGIN
    IF sparq_sweeping() THEN
        SELECT r.removed INTO removed
        FROM sparq_remove_events(
            ARRAY(
                SELECT o.ctid FROM events o
                WHERE o.ctid >= format('(%s,0)', p_block)::tid AND o.ctid < format('(%s,0)', p_block + p_blocks)::tid
                    AND (o.at < p_before) IS TRUE
                LIMIT p_limit
            ),
            p_before
        ) r;
        next := CASE WHEN removed = p_limit THEN p_block ELSE sparq_next_block('events', p_block + p_blocks) END;
    END IF;
END
$$;
COMMENT ON FUNCTION sparq_patrol_events IS 'Removes old events that a sweep has passed.';
