-- What costs little with a few rows must cost no more with many.

-- MARK: Removal of old rows
--
-- What is deleted stays in an index until nobody's snapshot sees it and a vacuum has come by. Whoever looks for the oldest rows from the
-- index's left end walks over all of it, at each piece. So a sweep begins where the last piece ended.
--
-- The functions of 0003_retention.sql stay for workers of the version before.

CREATE TABLE sweeps (
    swept text COLLATE "C" PRIMARY KEY,
    reached timestamptz NOT NULL DEFAULT '-infinity',
    block bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE sweeps IS 'One row: a table whose old rows are removed, and how far that has come. Written now and then, not for each piece.';
COMMENT ON COLUMN sweeps.reached IS 'Older rows are gone, but for those that were written later than their time says.';
COMMENT ON COLUMN sweeps.block IS 'Where in the table the search for those goes on.';
INSERT INTO sweeps (swept) VALUES ('events'), ('inbox');

-- A vacuum reads whole indexes, so it comes in proportion to the table; a fifth of it, the server's default, is more than should lie about.
ALTER TABLE events SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE inbox SET (autovacuum_vacuum_scale_factor = 0.05);

-- One sweep at a time; true for the transaction that has it. The number is that of workers of the version before, too.
CREATE FUNCTION sparq_sweeping() RETURNS boolean LANGUAGE sql VOLATILE AS $$ SELECT pg_try_advisory_xact_lock(6012412646689603585) $$;
COMMENT ON FUNCTION sparq_sweeping IS 'Takes the lock of sweeps, unless another has it.';

-- p_seq is an old event. Looks ahead in steps that double, and then halve, and returns an event before which all that it met are old, too.
-- In a topic the numbers tell the order truly, and clocks do not: what comes before an old event is old.
CREATE FUNCTION sparq_last_old(p_topic text, p_seq bigint, p_before timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_step bigint := 1;
BEGIN
    WHILE EXISTS (SELECT FROM events e WHERE e.topic = p_topic AND e.seq = p_seq + v_step AND e.at < p_before OFFSET 0) LOOP
        p_seq := p_seq + v_step;
        v_step := v_step * 2;
    END LOOP;
    WHILE v_step > 1 LOOP
        v_step := v_step / 2;
        IF EXISTS (SELECT FROM events e WHERE e.topic = p_topic AND e.seq = p_seq + v_step AND e.at < p_before OFFSET 0) THEN
            p_seq := p_seq + v_step;
        END IF;
    END LOOP;
    RETURN p_seq;
END
$$;
COMMENT ON FUNCTION sparq_last_old IS 'The last old event of a topic, from one that is old.';

-- Removes the events at p_rows that are older than p_before, and raises the floor of their topics.
--
-- The floor rises over all old events of the topic at once, and what a raised floor leaves behind is no longer read. So a topic is written
-- once for all pieces with the same p_before: while somebody's snapshot is open, each new version of its row is one more to walk over, for
-- commits too. Topics are locked last, for as long as that takes: who appends does not wait for the deletion.
--
-- "IS TRUE" keeps the index on time out of the plan: rows are found by their places alone.
CREATE FUNCTION sparq_remove_events(p_rows tid[], p_before timestamptz, OUT removed bigint, OUT latest timestamptz)
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

CREATE FUNCTION sparq_remove_inbox(p_rows tid[], p_before timestamptz, OUT removed bigint, OUT latest timestamptz)
LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
BEGIN
    WITH old AS (
        DELETE FROM inbox i WHERE i.ctid = ANY (p_rows) AND (i.created_at < p_before) IS TRUE RETURNING i.created_at
    )
    SELECT count(*), max(old.created_at) INTO removed, latest FROM old;
END
$$;
COMMENT ON FUNCTION sparq_remove_inbox IS 'Removes messages that took effect too long ago.';

-- Both find their rows by walking the index from where the last piece ended, whatever the server thinks of the table: its statistics can be
-- of a time when the table was empty, or all old. They return how many rows went (none where another worker has the lock: NULL), and from
-- where the next piece looks.

-- Removes the p_limit oldest events between the two times, or all where they are fewer.
CREATE FUNCTION sparq_sweep_events(p_from timestamptz, p_before timestamptz, p_limit bigint, OUT removed bigint, OUT reached timestamptz)
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

-- Removes the p_limit oldest messages that took effect between the two times, or all where they are fewer.
CREATE FUNCTION sparq_sweep_inbox(p_from timestamptz, p_before timestamptz, p_limit bigint, OUT removed bigint, OUT reached timestamptz)
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

-- Where a clock went back, or old rows were brought in by hand, rows lie behind the place that the sweep has reached. They are looked for in
-- the table itself, p_blocks of its blocks at a time, so the search costs the same however much was deleted. They return how many rows went (NULL as above),
-- and at which block the next search begins.

-- The rows of a stretch of blocks that are older than p_before, p_limit at most.
CREATE FUNCTION sparq_patrol_events(p_block bigint, p_blocks bigint, p_before timestamptz, p_limit bigint, OUT removed bigint, OUT next bigint)
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

CREATE FUNCTION sparq_patrol_inbox(p_block bigint, p_blocks bigint, p_before timestamptz, p_limit bigint, OUT removed bigint, OUT next bigint)
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

-- Behind a table's last block comes its first.
CREATE FUNCTION sparq_next_block(p_table regclass, p_block bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p_block * current_setting('block_size')::bigint < pg_relation_size(p_table) THEN p_block ELSE 0 END
$$;
COMMENT ON FUNCTION sparq_next_block IS 'The block, or the first one where the table has none of that number.';

-- MARK: Pages of the log
--
-- A page is walked along an index and ends at its limit. Left to itself the server may read the whole of what is asked for and sort it, where it
-- thinks that there is little: of a topic that is larger than most it does.

ALTER FUNCTION sparq_pages SET enable_bitmapscan = off;
ALTER FUNCTION sparq_pages SET enable_sort = off;

-- A page of a topic's log, newest first, of what retention has kept. The time has the form that clients get.
CREATE FUNCTION messenger_history(p_topic text, p_before bigint, p_limit bigint)
RETURNS TABLE (seq bigint, at text, type text, data text)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT e.seq, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), e.type, e.data FROM events e
    WHERE e.topic = p_topic AND e.seq < p_before AND e.seq > coalesce((SELECT t.floor FROM topics t WHERE t.topic = p_topic), 0)
    ORDER BY e.seq DESC LIMIT p_limit;
END
$$;
COMMENT ON FUNCTION messenger_history IS 'A page of a topic''s log.';

-- Direct messages lie in the topics of both people, among whatever else these hold. Two indexes find them: by the other person, and all of them.
-- Neither begins with the topic alone, so no other index can take their place in a plan.

-- The topic, and whom its user talks with. NULL where the data are not a direct message's, whatever the type says: that must stop nobody's commit.
CREATE OR REPLACE FUNCTION messenger_talk(p_topic text, p_data text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    -- A message to oneself has both names equal.
    RETURN p_topic || E'\n' || CASE WHEN p_topic = 'user:' || (p_data::json ->> 'from') THEN p_data::json ->> 'to' ELSE p_data::json ->> 'from' END;
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION messenger_talk IS 'Between whom a direct message is. Indexed: what it returns must not change.';

-- On a large table make the function and the two indexes beforehand, by these names and CONCURRENTLY (docs/OPERATIONS.md).
CREATE INDEX IF NOT EXISTS events_talk ON events (messenger_talk(topic, data), seq) WHERE type = 'direct.message';
CREATE INDEX IF NOT EXISTS events_direct ON events ((topic || E'\n'), seq) WHERE type = 'direct.message';

-- A page of a user's direct messages, newest first: with one person, or, where that is NULL, with anybody.
CREATE FUNCTION messenger_direct_history(p_topic text, p_with text, p_before bigint, p_limit bigint)
RETURNS TABLE (seq bigint, at text, type text, data text)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    v_floor bigint := coalesce((SELECT t.floor FROM topics t WHERE t.topic = p_topic), 0);
BEGIN
    IF p_with IS NULL THEN
        RETURN QUERY
        SELECT e.seq, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), e.type, e.data FROM events e
        WHERE e.topic || E'\n' = p_topic || E'\n' AND e.type = 'direct.message' AND e.seq < p_before AND e.seq > v_floor
        ORDER BY e.seq DESC LIMIT p_limit;
    ELSE
        RETURN QUERY
        SELECT e.seq, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), e.type, e.data FROM events e
        WHERE messenger_talk(e.topic, e.data) = p_topic || E'\n' || p_with AND e.type = 'direct.message'
            AND e.seq < p_before AND e.seq > v_floor
        ORDER BY e.seq DESC LIMIT p_limit;
    END IF;
END
$$;
COMMENT ON FUNCTION messenger_direct_history IS 'A page of a user''s direct messages.';

-- MARK: Pages of rooms

-- The rooms that a user is in, by name, behind a name, with the last numbers of their logs.
CREATE FUNCTION messenger_own_rooms(p_member text, p_after text, p_limit bigint) RETURNS TABLE (room text, owner text, seq bigint)
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

-- All rooms, by name, behind a name.
CREATE FUNCTION messenger_all_rooms(p_after text, p_limit bigint) RETURNS TABLE (room text, owner text)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT r.name::text, r.owner::text FROM rooms r WHERE r.name > p_after ORDER BY r.name LIMIT p_limit;
END
$$;
COMMENT ON FUNCTION messenger_all_rooms IS 'A page of all rooms.';
