-- Removes the p_limit oldest events between the two times, or all if they are fewer.
--
-- What is deleted stays in an index until no snapshot sees it and a vacuum has come by. So a sweep begins where the last piece ended, and walks the
-- index from there, whatever the server thinks of the table: its statistics can be of a time when the table was empty, or all old.
--
-- Row: how many went (NULL if another worker has the lock), and from where the next piece looks.
CREATE OR REPLACE FUNCTION sparq_sweep_events(p_from timestamptz, p_before timestamptz, p_limit bigint, OUT removed bigint, OUT reached timestamptz)
LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off AS $$
BEGIN
    IF sparq_sweeping() THEN
        SELECT r.removed, CASE WHEN r.removed < p_limit THEN greatest(p_from, p_before) ELSE r.latest END INTO removed, reached
        FROM sparq_remove_events(
            ARRAY(SELECT o.ctid FROM events o WHERE o.at >= p_from AND o.at < p_before ORDER BY o.at LIMIT p_limit), p_before
        ) r;
    END IF;
END
$$;
COMMENT ON FUNCTION sparq_sweep_events IS 'Removes some events that are too old.';
