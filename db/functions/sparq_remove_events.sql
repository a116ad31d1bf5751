-- Removes the events at p_rows that are older than p_before, and raises the floor of their topics.
--
-- The floor rises over all old events of the topic at once, and what a raised floor leaves behind is no longer read. So a topic is written
-- once for all pieces with the same p_before: while somebody's snapshot is open, each new version of its row is one more to walk over, for
-- commits too. Topics are locked last, for as long as that takes: who appends does not wait for the deletion.
--
-- "IS TRUE" keeps the index on time out of the plan: rows are found by their places alone.
CREATE OR REPLACE FUNCTION sparq_remove_events(p_rows tid[], p_before timestamptz, OUT removed bigint, OUT latest timestamptz)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET enable_hashjoin = off SET enable_mergejoin = off
SET jit = off AS $$
DECLARE
    v_topics text[];
    v_seqs bigint[];
    v_patience timestamptz;
BEGIN
    WITH old AS (
        DELETE FROM events e WHERE e.ctid = ANY (p_rows) AND (e.at < p_before) IS TRUE RETURNING e.topic, e.seq, e.at
    )
    SELECT array_agg(x.topic), array_agg(x.seq), coalesce(sum(x.n), 0), max(x.at) INTO v_topics, v_seqs, removed, latest
    FROM (SELECT old.topic, max(old.seq) AS seq, count(*) AS n, max(old.at) AS at FROM old GROUP BY old.topic) x;
    -- A disk that is slow must not make a piece long: topics for which there was no time have their turn in a later one.
    v_patience := clock_timestamp() + interval '200 ms';
    SELECT array_agg(x.topic), array_agg(CASE WHEN clock_timestamp() < v_patience THEN sparq_last_old(x.topic, x.seq, p_before) ELSE x.seq END)
    INTO v_topics, v_seqs
    FROM unnest(v_topics, v_seqs) AS x (topic, seq)
    CROSS JOIN LATERAL (SELECT k.floor FROM topics k WHERE k.topic = x.topic LIMIT 1) t
    WHERE t.floor < x.seq;
    IF v_topics IS NULL THEN
        RETURN;
    END IF;
    PERFORM 1 FROM topics t WHERE t.topic = ANY (v_topics) ORDER BY t.topic FOR UPDATE;
    UPDATE topics t SET floor = x.seq
    FROM unnest(v_topics, v_seqs) AS x (topic, seq)
    WHERE t.topic = x.topic AND t.floor < x.seq;
END
$$;
COMMENT ON FUNCTION sparq_remove_events IS 'Removes events that are too old, and raises floors.';
