-- Sparq's own tables and functions. An application's tables come in later migrations.
--
-- Locks are taken in one order everywhere: topics by name, then inbox rows by user and message id. So no two commits wait for each other.
-- Names are compared byte by byte (COLLATE "C"): cheaper, and the same order on every server.

CREATE TABLE inbox (
    user_id text COLLATE "C" NOT NULL,
    message_id text COLLATE "C" NOT NULL,
    fingerprint bigint NOT NULL,
    reply text,
    changes text,
    topics text[],
    seqs bigint[],
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, message_id)
);
COMMENT ON TABLE inbox IS 'One row: a message that took effect. A repeat of it gets the same reply, and has no effect of its own.';
COMMENT ON COLUMN inbox.fingerprint IS 'Hash of the message''s bytes: tells a repeat from another message under the same id.';
COMMENT ON COLUMN inbox.changes IS 'Lasting changes to who hears what and who the client is, one a line: subscriptions, their ends, disconnects, sessions. A repeat makes them anew.';
COMMENT ON COLUMN inbox.topics IS 'Its durable events, together with seqs: they are published again for a repeat.';
-- BRIN, because rows come in the order of time: nearly free to write.
CREATE INDEX inbox_created_at ON inbox USING brin (created_at) WITH (pages_per_range = 32, autosummarize = on);

CREATE TABLE topics (
    topic text COLLATE "C" PRIMARY KEY,
    seq bigint NOT NULL,
    floor bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
COMMENT ON TABLE topics IS 'One row: a stream of durable events. Its row lock gives events their order.';
COMMENT ON COLUMN topics.seq IS 'Number of the last event.';
COMMENT ON COLUMN topics.floor IS 'Number of the last event that is no longer kept; 0 where all are.';

CREATE TABLE events (
    topic text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    type text NOT NULL,
    data text NOT NULL,
    PRIMARY KEY (topic, seq)
);
COMMENT ON TABLE events IS 'One row: a durable event of a topic, numbered without gaps.';
COMMENT ON COLUMN events.data IS 'JSON text. Not jsonb, which knows no \u0000 and changes what it stores.';
CREATE INDEX events_at ON events USING brin (at) WITH (pages_per_range = 32, autosummarize = on);

CREATE TABLE nodes (
    node text COLLATE "C" PRIMARY KEY,
    incarnation text NOT NULL DEFAULT '',
    version bigint NOT NULL DEFAULT 0,
    renewed_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE nodes IS 'One row: a front that is alive, as far as its lease goes.';
COMMENT ON COLUMN nodes.incarnation IS 'Which start of the process; empty until its first lease.';
COMMENT ON COLUMN nodes.version IS 'The latest of the node''s changes that anything told of: as of which its directory rows can be compared with what it says.';

CREATE TABLE directory (
    topic text COLLATE "C" NOT NULL,
    node text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    checksum bigint NOT NULL,
    PRIMARY KEY (topic, node)
);
COMMENT ON TABLE directory IS 'One row: a node has subscribers of a topic.';
COMMENT ON COLUMN directory.version IS 'The node''s own count of its changes: an older change never undoes a newer one.';
COMMENT ON COLUMN directory.checksum IS 'The topic''s part of the sum by which node and directory compare what they know.';
CREATE INDEX directory_node ON directory (node, topic);

-- The functions below look rows up by key, for as many keys as a batch has. Their plans are cached when the tables may still be empty, so
-- scans of whole tables are ruled out. JIT would be led astray by the cost that this adds. Those that every message calls keep one plan for all
-- lengths of their arrays: the server would plan anew each time, which takes as long as they do.

-- Commits a batch of messages with their durable events, all of them or none. Call it as one statement.
--
-- p_topics, p_counts: the distinct topics in the order of their bytes, and how many events each gets.
-- p_event_…: for each event its topic, the index of that in p_topics, how many events of the topic come behind it, type and data.
-- p_users … p_lasts: for each message to be noted in the inbox its key, in the order of the keys' bytes, and its events: the indexes of
-- the first and the last. A key must be there once only.
--
-- p_ended: the inbox's users of connections that end: their `$connect` gets a row too, where it has none, so that it can begin no more.
--
-- Row: the topics' last numbers, and the time. Where a message took effect before, the whole call fails with 23505 of inbox_pkey.
CREATE FUNCTION sparq_commit(
    p_topics text[], p_counts bigint[],
    p_event_topics text[], p_event_indices bigint[], p_event_behind bigint[], p_event_types text[], p_event_data bytea[],
    p_users text[], p_ids text[], p_fingerprints bigint[], p_replies bytea[], p_changes text[], p_firsts bigint[], p_lasts bigint[],
    p_ended text[],
    OUT heads bigint[], OUT at_ms bigint
) LANGUAGE plpgsql AS $$
DECLARE
    v_seqs bigint[];
    v_at timestamptz;
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
    IF cardinality(p_users) > 0 THEN
        INSERT INTO inbox (user_id, message_id, fingerprint, reply, changes, topics, seqs)
        SELECT x.user_id, x.message_id, x.fingerprint, convert_from(x.reply, 'UTF8'), x.changes,
            p_event_topics[x.first:x.last], v_seqs[x.first:x.last]
        FROM unnest(p_users, p_ids, p_fingerprints, p_replies, p_changes, p_firsts, p_lasts)
            AS x (user_id, message_id, fingerprint, reply, changes, first, last);
    END IF;
    IF cardinality(p_ended) > 0 THEN
        INSERT INTO inbox (user_id, message_id, fingerprint)
        SELECT x.user_id, '$connect', 0 FROM unnest(p_ended) AS x (user_id)
        ON CONFLICT DO NOTHING;
    END IF;
END
$$;
COMMENT ON FUNCTION sparq_commit IS 'Commits a batch of messages with their durable events, all or none.';

-- Those of the messages that took effect before, by their index: one row for each durable event that they had and that is kept; a message
-- without any has one row without event.
CREATE FUNCTION sparq_repeats(p_users text[], p_ids text[], p_fingerprints bigint[])
RETURNS TABLE (
    message bigint, reply text, mismatch boolean, changes text, topic text, seq bigint, at_ms bigint, type text, data text
) LANGUAGE plpgsql STABLE SET enable_seqscan = off SET jit = off AS $$
BEGIN
    RETURN QUERY
    SELECT m.index, i.reply, i.fingerprint <> m.fingerprint, i.changes,
        e.topic, e.seq, (extract(epoch FROM e.at) * 1000)::bigint, e.type, e.data
    FROM unnest(p_users, p_ids, p_fingerprints) WITH ORDINALITY AS m (user_id, message_id, fingerprint, index)
    CROSS JOIN LATERAL (SELECT * FROM inbox b WHERE b.user_id = m.user_id AND b.message_id = m.message_id LIMIT 1) i
    LEFT JOIN LATERAL (
        SELECT r.ordinal, l.*
        FROM unnest(i.topics, i.seqs) WITH ORDINALITY AS r (topic, seq, ordinal)
        CROSS JOIN LATERAL (SELECT * FROM events k WHERE k.topic = r.topic AND k.seq = r.seq LIMIT 1) l
    ) e ON true
    ORDER BY m.index, e.ordinal;
END
$$;
COMMENT ON FUNCTION sparq_repeats IS 'What messages brought that took effect before.';

-- Which nodes have subscribers of the topics, by the topics' indexes.
CREATE FUNCTION sparq_nodes(p_topics text[]) RETURNS TABLE (topic_index bigint, node text)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY
    SELECT x.index, d.node::text
    FROM unnest(p_topics) WITH ORDINALITY AS x (topic, index)
    CROSS JOIN LATERAL (SELECT k.node FROM directory k WHERE k.topic = x.topic OFFSET 0) d;
END
$$;
COMMENT ON FUNCTION sparq_nodes IS 'The nodes that have subscribers of the topics.';

-- Where the topics' logs end and begin; topics without events have none of both.
CREATE FUNCTION sparq_heads(p_topics text[]) RETURNS TABLE (topic text, seq bigint, floor bigint)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY
    SELECT x.topic, t.seq, t.floor
    FROM unnest(p_topics) AS x (topic)
    CROSS JOIN LATERAL (SELECT k.seq, k.floor FROM topics k WHERE k.topic = x.topic LIMIT 1) t;
END
$$;
COMMENT ON FUNCTION sparq_heads IS 'The last numbers of the topics, and the last that are no longer kept.';

-- One page of the log for each item, with at most p_events events and about p_bytes bytes of data, but always one event where there is one.
-- Each item has at least one row; an empty page has one without event.
--
-- Once the pages together have p_total bytes, the rest are empty: who asked sees by the head that there is more.
CREATE FUNCTION sparq_pages(p_topics text[], p_afters bigint[], p_events bigint, p_bytes bigint, p_total bigint)
RETURNS TABLE (item bigint, head bigint, floor bigint, seq bigint, at_ms bigint, type text, data text)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    v_wanted record;
    v_event record;
    v_bytes bigint;
    v_sum bigint := 0;
BEGIN
    FOR v_wanted IN
        SELECT x.item, x.topic, coalesce(t.seq, 0) AS head, coalesce(t.floor, 0) AS floor, greatest(x.after, t.floor) AS after
        FROM unnest(p_topics, p_afters) WITH ORDINALITY AS x (topic, after, item)
        LEFT JOIN LATERAL (SELECT k.seq, k.floor FROM topics k WHERE k.topic = x.topic LIMIT 1) t ON true
        ORDER BY x.item
    LOOP
        item := v_wanted.item;
        head := v_wanted.head;
        floor := v_wanted.floor;
        v_bytes := 0;
        -- Most are at the head, which their row has told already.
        IF v_wanted.after < v_wanted.head AND v_sum < p_total THEN
            FOR v_event IN
                SELECT k.seq, k.at, k.type, k.data FROM events k
                WHERE k.topic = v_wanted.topic AND k.seq > v_wanted.after
                ORDER BY k.seq LIMIT p_events
            LOOP
                EXIT WHEN v_bytes > 0 AND v_bytes + octet_length(v_event.data) > p_bytes;
                v_bytes := v_bytes + octet_length(v_event.data);
                seq := v_event.seq;
                at_ms := (extract(epoch FROM v_event.at) * 1000)::bigint;
                type := v_event.type;
                data := v_event.data;
                RETURN NEXT;
            END LOOP;
        END IF;
        IF v_bytes = 0 THEN
            seq := NULL;
            at_ms := NULL;
            type := NULL;
            data := NULL;
            RETURN NEXT;
        END IF;
        v_sum := v_sum + v_bytes;
    END LOOP;
END
$$;
COMMENT ON FUNCTION sparq_pages IS 'Pages of the topics'' logs.';

-- The three functions below lock the node's row before its directory rows.

-- Notes that nodes have subscribers of topics. The pairs must be distinct.
CREATE FUNCTION sparq_join(p_nodes text[], p_topics text[], p_versions bigint[], p_checksums bigint[], p_lease_seconds bigint)
RETURNS void LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
BEGIN
    INSERT INTO nodes AS known (node, version, expires_at)
    SELECT x.node COLLATE "C", max(x.version), now() + make_interval(secs => p_lease_seconds)
    FROM unnest(p_nodes, p_versions) AS x (node, version) GROUP BY 1 ORDER BY 1
    ON CONFLICT (node) DO UPDATE SET version = greatest(known.version, excluded.version),
        expires_at = CASE WHEN known.expires_at < now() THEN excluded.expires_at ELSE known.expires_at END
    WHERE known.expires_at < now() OR known.version < excluded.version;
    INSERT INTO directory AS known (topic, node, version, checksum)
    SELECT x.topic, x.node, x.version, x.checksum
    FROM unnest(p_topics, p_nodes, p_versions, p_checksums) AS x (topic, node, version, checksum)
    ORDER BY x.topic COLLATE "C", x.node COLLATE "C"
    ON CONFLICT (topic, node) DO UPDATE SET version = excluded.version WHERE known.version < excluded.version;
END
$$;
COMMENT ON FUNCTION sparq_join IS 'Notes that nodes have subscribers of topics.';

-- Notes that nodes have no more subscribers of topics, where no later join says otherwise.
CREATE FUNCTION sparq_leave(p_nodes text[], p_topics text[], p_versions bigint[])
RETURNS void LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
    PERFORM 1 FROM nodes n WHERE n.node = ANY (p_nodes) ORDER BY n.node FOR UPDATE;
    UPDATE nodes n SET version = x.version
    FROM (SELECT u.node COLLATE "C" AS node, max(u.version) AS version FROM unnest(p_nodes, p_versions) AS u (node, version) GROUP BY 1) x
    WHERE n.node = x.node AND n.version < x.version;
    DELETE FROM directory d
    USING (
        SELECT x.topic COLLATE "C" AS topic, x.node COLLATE "C" AS node, max(x.version) AS version
        FROM unnest(p_topics, p_nodes, p_versions) AS x (topic, node, version)
        GROUP BY 1, 2 ORDER BY 1, 2
    ) x
    WHERE d.topic = x.topic AND d.node = x.node AND d.version < x.version;
END
$$;
COMMENT ON FUNCTION sparq_leave IS 'Notes that nodes have no more subscribers of topics.';

-- Renews a node's lease; true means that its rows were not what it said and are gone: it must join all of its topics again.
--
-- Messages overtake each other. A lease is compared only with a directory of its own version: an older one knows nothing of what
-- the node joined since; a newer one came before a change that is still on its way, and is noted, so that where the change never
-- comes (or the database is an older one) the next lease of that version finds out.
CREATE FUNCTION sparq_lease(
    p_node text, p_incarnation text, p_version bigint, p_topics bigint, p_checksum bigint, p_settled boolean, p_leaving boolean,
    p_lease_seconds bigint
) RETURNS boolean LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
DECLARE
    v_incarnation text;
    v_version bigint;
    v_topics bigint;
    v_checksum bigint;
BEGIN
    IF p_leaving THEN
        DELETE FROM nodes n WHERE n.node = p_node;
        DELETE FROM directory d WHERE d.node = p_node;
        RETURN false;
    END IF;
    SELECT n.incarnation, n.version INTO v_incarnation, v_version FROM nodes n WHERE n.node = p_node FOR UPDATE;
    INSERT INTO nodes AS known (node, incarnation, version, expires_at)
    VALUES (p_node, p_incarnation, p_version, now() + make_interval(secs => p_lease_seconds))
    ON CONFLICT (node) DO UPDATE SET incarnation = excluded.incarnation, renewed_at = now(), expires_at = excluded.expires_at,
        version = CASE
            WHEN known.incarnation IN ('', excluded.incarnation) THEN greatest(known.version, excluded.version) ELSE excluded.version
        END;
    IF v_incarnation <> '' AND v_incarnation <> p_incarnation THEN
        DELETE FROM directory d WHERE d.node = p_node;
        RETURN p_topics > 0;
    END IF;
    -- Without a row there can be no directory, whatever its version: the node was taken for dead.
    IF v_incarnation IS NULL THEN
        RETURN p_topics > 0;
    END IF;
    IF NOT p_settled OR v_version <> p_version THEN
        RETURN false;
    END IF;
    SELECT count(*), coalesce(sum(d.checksum), 0) INTO v_topics, v_checksum FROM directory d WHERE d.node = p_node;
    IF v_topics = p_topics AND v_checksum = p_checksum THEN
        RETURN false;
    END IF;
    DELETE FROM directory d WHERE d.node = p_node;
    RETURN true;
END
$$;
COMMENT ON FUNCTION sparq_lease IS 'Renews a node''s lease and compares its topics with the directory.';

-- Removes at most p_limit events that are older than p_before, and raises the floor of their topics; returns how many.
--
-- The oldest of a topic go first or together with others; what a raised floor leaves behind is no longer read, and goes next time.
CREATE FUNCTION sparq_expire_events(p_before timestamptz, p_limit bigint)
RETURNS bigint LANGUAGE plpgsql SET jit = off AS $$
DECLARE
    v_topics text[];
    v_seqs bigint[];
BEGIN
    SELECT array_agg(x.topic), array_agg(x.seq) INTO v_topics, v_seqs
    FROM (SELECT e.topic, e.seq FROM events e WHERE e.at < p_before LIMIT p_limit) x;
    IF v_topics IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM 1 FROM topics t WHERE t.topic = ANY (v_topics) ORDER BY t.topic FOR UPDATE;
    UPDATE topics t SET floor = greatest(t.floor, x.seq)
    FROM (SELECT u.topic, max(u.seq) AS seq FROM unnest(v_topics, v_seqs) AS u (topic, seq) GROUP BY u.topic) x
    WHERE t.topic = x.topic AND t.floor < x.seq;
    DELETE FROM events e USING unnest(v_topics, v_seqs) AS u (topic, seq) WHERE e.topic = u.topic AND e.seq = u.seq;
    RETURN cardinality(v_topics);
END
$$;
COMMENT ON FUNCTION sparq_expire_events IS 'Removes some events that are too old.';
