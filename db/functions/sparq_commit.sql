-- Commits a batch of messages with their durable events, all of them or none. Call it as one statement.
--
-- p_topics, p_counts: the distinct topics in the order of their bytes, and how many events each gets.
-- p_event_…: for each event its topic, the index of that in p_topics, how many events of the topic come behind it, type and data.
-- p_users … p_lasts: for each message to be noted in the inbox its key, in the order of the keys' bytes, and its events: the indexes of
-- the first and the last. A key must be there once only.
--
-- p_ended: the inbox's users of connections that end: their `$connect` gets a row too, where it has none, so that it can begin no more.
--
-- Row: the topics' last numbers, and the time. If a message took effect before, the whole call fails with 23505 of inbox_pkey.
--
-- Locks are taken in one order: topics by name, then inbox rows by user and message id. So no two commits wait for each other.
-- Every message calls this. So it keeps one plan for all lengths of its arrays: planning anew was a tenth of its cost.
CREATE OR REPLACE FUNCTION sparq_commit(
    p_topics text[], p_counts bigint[],
    p_event_topics text[], p_event_indices bigint[], p_event_behind bigint[], p_event_types text[], p_event_data bytea[],
    p_users text[], p_ids text[], p_fingerprints bigint[], p_replies bytea[], p_changes text[], p_firsts bigint[], p_lasts bigint[],
    p_ended text[],
    OUT heads bigint[], OUT at_ms bigint
) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_seqs bigint[];
    v_at timestamptz;
    v_noted bigint;
BEGIN
    IF cardinality(p_topics) > 0 THEN
        -- The row locks are held to the end of the transaction: who comes next gets the next numbers, or these if we fail.
        WITH t AS (
            INSERT INTO topics AS known (topic, seq)
            SELECT x.topic, x.n FROM unnest(p_topics, p_counts) AS x (topic, n)
            ON CONFLICT (topic) DO UPDATE SET seq = known.seq + excluded.seq
            RETURNING known.topic, known.seq
        )
        SELECT array_agg(t.seq ORDER BY t.topic) INTO heads FROM t;
        -- Taken when all locks are held, so that later numbers have later times.
        v_at := date_trunc('milliseconds', clock_timestamp());
        at_ms := extract(epoch FROM v_at) * 1000;
        v_seqs := ARRAY(SELECT heads[x.index] - x.behind FROM unnest(p_event_indices, p_event_behind) AS x (index, behind));
        INSERT INTO events (topic, seq, at, type, data)
        SELECT x.topic, x.seq, v_at, x.type, convert_from(x.data, 'UTF8')
        FROM unnest(p_event_topics, v_seqs, p_event_types, p_event_data) AS x (topic, seq, type, data);
    END IF;
    IF cardinality(p_ended) = 0 THEN
        INSERT INTO inbox (user_id, message_id, fingerprint, reply, changes, topics, seqs)
        SELECT x.user_id, x.message_id, x.fingerprint, convert_from(x.reply, 'UTF8'), x.changes,
            p_event_topics[x.first:x.last], v_seqs[x.first:x.last]
        FROM unnest(p_users, p_ids, p_fingerprints, p_replies, p_changes, p_firsts, p_lasts)
            AS x (user_id, message_id, fingerprint, reply, changes, first, last);
        RETURN;
    END IF;
    WITH wanted AS (
        SELECT x.user_id, x.message_id, x.fingerprint, convert_from(x.reply, 'UTF8') AS reply, x.changes,
            p_event_topics[x.first:x.last] AS topics, v_seqs[x.first:x.last] AS seqs
        FROM unnest(p_users, p_ids, p_fingerprints, p_replies, p_changes, p_firsts, p_lasts)
            AS x (user_id, message_id, fingerprint, reply, changes, first, last)
        UNION ALL
        SELECT x.user_id, '$connect', 0, NULL, NULL, NULL, NULL FROM unnest(p_ended) AS x (user_id)
    ), noted AS (
        INSERT INTO inbox (user_id, message_id, fingerprint, reply, changes, topics, seqs)
        SELECT w.user_id, w.message_id, w.fingerprint, w.reply, w.changes, w.topics, w.seqs
        FROM wanted w ORDER BY w.user_id COLLATE "C", w.message_id COLLATE "C"
        ON CONFLICT DO NOTHING
        RETURNING user_id, message_id
    )
    SELECT count(*) INTO v_noted FROM noted n WHERE NOT (n.message_id = '$connect' AND n.user_id = ANY (p_ended));
    -- A `$connect` may have a row; no message may.
    IF v_noted < cardinality(p_users) THEN
        RAISE unique_violation USING
            MESSAGE = 'duplicate key value violates unique constraint "inbox_pkey"', CONSTRAINT = 'inbox_pkey', TABLE = 'inbox';
    END IF;
END
$$;
COMMENT ON FUNCTION sparq_commit IS 'Commits a batch of messages with their durable events, all or none.';
