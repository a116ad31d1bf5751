-- For workers of before 0008_growth.sql. Removes the p_limit oldest events that are older than p_before, or all if they are fewer, and raises the
-- floor of their topics; returns how many.
--
-- The topics are locked last, for as long as it takes to raise their floors: who appends does not wait for the deletion. What a raised
-- floor leaves behind is no longer read, and goes next time.
CREATE OR REPLACE FUNCTION sparq_expire_events(p_before timestamptz, p_limit bigint)
RETURNS bigint LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET enable_hashjoin = off SET enable_mergejoin = off
SET jit = off AS $$
DECLARE
    v_topics text[];
    v_seqs bigint[];
    v_count bigint;
BEGIN
    WITH old AS (
        DELETE FROM events e
        WHERE e.ctid = ANY (ARRAY(SELECT o.ctid FROM events o WHERE o.at < p_before ORDER BY o.at LIMIT p_limit))
        RETURNING e.topic, e.seq
    )
    SELECT array_agg(x.topic), array_agg(x.seq), coalesce(sum(x.n), 0) INTO v_topics, v_seqs, v_count
    FROM (SELECT old.topic, max(old.seq) AS seq, count(*) AS n FROM old GROUP BY old.topic) x;
    IF v_count = 0 THEN
        RETURN 0;
    END IF;
    PERFORM 1 FROM topics t WHERE t.topic = ANY (v_topics) ORDER BY t.topic FOR UPDATE;
    UPDATE topics t SET floor = x.seq
    FROM unnest(v_topics, v_seqs) AS x (topic, seq)
    WHERE t.topic = x.topic AND t.floor < x.seq;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION sparq_expire_events IS 'Removes some events that are too old.';
