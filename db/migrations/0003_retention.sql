-- Finds what is too old by B-trees. The BRIN indexes knew the age of whole ranges of pages: a range's bounds never narrow again when its
-- rows are deleted, and new rows in its free space widen them, so in the end every range had to be read.
--
-- On a large table make the two indexes beforehand, by these names and CONCURRENTLY: then this takes a moment (docs/OPERATIONS.md).

-- In the order of a commit, and the strongest lock at once: so no commit under way and this file wait for each other.
LOCK TABLE events, inbox IN ACCESS EXCLUSIVE MODE;
CREATE INDEX IF NOT EXISTS events_age ON events (at);
CREATE INDEX IF NOT EXISTS inbox_age ON inbox (created_at);
DROP INDEX events_at, inbox_created_at;

-- Both functions walk the index from its old end and stop at the limit, whatever the server thinks of the table: its statistics can be of a
-- time when the table was empty, or all old.

-- Removes the p_limit oldest events that are older than p_before, or all where they are fewer, and raises the floor of their topics;
-- returns how many.
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

-- Removes the p_limit oldest messages that took effect before p_before, or all where they are fewer; returns how many.
CREATE FUNCTION sparq_expire_inbox(p_before timestamptz, p_limit bigint)
RETURNS bigint LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off AS $$
DECLARE
    v_count bigint;
BEGIN
    DELETE FROM inbox i
    WHERE i.ctid = ANY (ARRAY(SELECT o.ctid FROM inbox o WHERE o.created_at < p_before ORDER BY o.created_at LIMIT p_limit));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION sparq_expire_inbox IS 'Removes some messages that took effect too long ago.';
