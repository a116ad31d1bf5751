-- Joins and leaves of a node commute. A worker may take up a leave before the join that it undoes, and a copy of a join may come late. So a leave
-- stays known for longer than an older join may be under way, and a join that is older than the leave writes nothing. The end of a whole node is
-- such a leave too.
--
-- Where the directory differs from what a node says, nothing is removed. The node is told where, and mends it with joins and leaves of its own.

CREATE TABLE departures (
    node text COLLATE "C" NOT NULL,
    topic text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    incarnation text,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (node, topic)
);
COMMENT ON TABLE departures IS 'One row: a node has left a topic, not long ago. What it joined before that must not come back.';
COMMENT ON COLUMN departures.topic IS 'Empty: the node has left altogether.';
COMMENT ON COLUMN departures.version IS 'The node''s own count of its changes: joins with a lower one are older than the leave.';
COMMENT ON COLUMN departures.incarnation IS 'Where the node has left altogether: which start of its process.';
COMMENT ON COLUMN departures.at IS 'When a worker heard of it.';
CREATE INDEX departures_at ON departures (at);

-- Forgets at most p_limit leaves that no older join can follow any more. What nodes ask waits at the broker for 60 s at most (WorkerTopology.nodePatience),
-- and a worker that stood still with it has lost it by then.
CREATE FUNCTION sparq_forget_departures(p_limit bigint) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
    DELETE FROM departures d USING (
        SELECT k.node, k.topic FROM departures k WHERE k.at < now() - interval '3 min'
        -- Two workers may do so at once: none waits for the other.
        ORDER BY k.at LIMIT p_limit FOR UPDATE SKIP LOCKED
    ) x WHERE d.node = x.node AND d.topic = x.topic;
END
$$;
COMMENT ON FUNCTION sparq_forget_departures IS 'Forgets leaves of long ago.';

-- As in 0001_sparq.sql, but the leave stays known, also where there was nothing to remove.
CREATE OR REPLACE FUNCTION sparq_leave(p_nodes text[], p_topics text[], p_versions bigint[])
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
    INSERT INTO departures AS known (node, topic, version)
    SELECT x.node COLLATE "C", x.topic COLLATE "C", max(x.version)
    FROM unnest(p_topics, p_nodes, p_versions) AS x (topic, node, version)
    GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (node, topic) DO UPDATE SET version = excluded.version, at = excluded.at WHERE known.version < excluded.version;
    -- Twice as many as come, so that the table holds no more than what left within the time. Last, because nothing that follows waits.
    PERFORM sparq_forget_departures(2 * cardinality(p_topics));
END
$$;

-- As in 0009_resync.sql, but a join that is older than a leave writes nothing.
CREATE OR REPLACE FUNCTION sparq_join(
    p_nodes text[], p_node_versions bigint[],
    p_topics text[], p_topic_nodes text[], p_versions bigint[], p_checksums bigint[], p_lease_seconds bigint
) RETURNS SETOF text
LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    v_new text[];
BEGIN
    -- Locks the row in any case. A storm of joins writes it once a second, and not for each of them.
    WITH joined AS (
        INSERT INTO nodes AS known (node, version, expires_at)
        SELECT x.node COLLATE "C", x.version, now() + make_interval(secs => p_lease_seconds)
        FROM unnest(p_nodes, p_node_versions) AS x (node, version) ORDER BY 1
        ON CONFLICT (node) DO UPDATE SET version = greatest(known.version, excluded.version),
            expires_at = greatest(known.expires_at, excluded.expires_at)
        WHERE known.version < excluded.version OR known.expires_at < excluded.expires_at - interval '1 s'
        -- A row that is there already was locked, which sets it.
        RETURNING known.node, known.xmax = 0 AS is_new
    )
    SELECT array_agg(j.node) INTO v_new FROM joined j WHERE j.is_new;
    IF v_new IS NOT NULL THEN
        PERFORM sparq_forget(n) FROM unnest(v_new) AS n;
        -- It has left altogether, and this comes late.
        DELETE FROM nodes n USING unnest(p_nodes, p_node_versions) AS x (node, version), departures l
        WHERE n.node = ANY (v_new) AND n.node = x.node AND l.node = n.node AND l.topic = '' AND l.version > x.version;
    END IF;
    RETURN QUERY
    WITH written AS (
        INSERT INTO directory AS known (topic, node, version, checksum)
        SELECT x.topic, x.node, x.version, x.checksum
        FROM unnest(p_topics, p_topic_nodes, p_versions, p_checksums) AS x (topic, node, version, checksum)
        -- A conflict would lock the row, and that is a write too.
        WHERE NOT EXISTS (
            SELECT FROM directory k
            WHERE k.topic = x.topic COLLATE "C" AND k.node = x.node COLLATE "C" AND k.version >= x.version AND k.checksum = x.checksum
        ) AND NOT EXISTS (
            SELECT FROM departures l WHERE l.node = x.node COLLATE "C" AND l.topic = x.topic COLLATE "C" AND l.version > x.version
        ) AND NOT EXISTS (
            SELECT FROM departures l WHERE l.node = x.node COLLATE "C" AND l.topic = '' AND l.version > x.version
        )
        ORDER BY x.topic COLLATE "C", x.node COLLATE "C"
        ON CONFLICT (topic, node) DO UPDATE SET version = greatest(known.version, excluded.version), checksum = excluded.checksum
        WHERE known.version < excluded.version OR known.checksum <> excluded.checksum
        RETURNING known.topic
    )
    SELECT w.topic::text FROM written w WHERE w.topic LIKE 'user:%';
END
$$;

-- Renews a node's lease, and says whether the directory differs from what the node says.
--
-- p_sums: of each bucket the sum of the checksums of its topics; a topic is in the bucket that its checksum, divided by the number of buckets, leaves
-- over. NULL: the node cannot mend a difference.
--
-- differs: the node must join its topics again; all of them where buckets is NULL, else those of these buckets, counted from 0. topics: what the
-- directory has in them; not of all of them where that would be too much. Of a node that cannot mend a difference all rows are gone.
--
-- Messages overtake each other. A lease is compared only with a directory of its own version: an older one knows nothing of what
-- the node joined since; a newer one came before a change that is still on its way, and is noted, so that where the change never
-- comes (or the database is an older one) the next lease of that version finds out.
CREATE FUNCTION sparq_renew(
    p_node text, p_incarnation text, p_version bigint, p_topics bigint, p_checksum bigint, p_settled boolean, p_leaving boolean,
    p_lease_seconds bigint, p_sums bigint[],
    OUT differs boolean, OUT buckets bigint[], OUT topics text[]
) LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
DECLARE
    v_incarnation text;
    v_version bigint;
    v_is_new boolean;
    v_topics bigint;
    v_checksum bigint;
    v_listed bigint[];
BEGIN
    differs := false;
    SELECT n.incarnation, n.version INTO v_incarnation, v_version FROM nodes n WHERE n.node = p_node FOR UPDATE;
    IF p_leaving THEN
        IF v_incarnation NOT IN ('', p_incarnation) THEN
            -- The node has come back by now. What it has it joined since.
            RETURN;
        END IF;
        DELETE FROM nodes n WHERE n.node = p_node;
        PERFORM sparq_forget(p_node);
        INSERT INTO departures AS known (node, topic, version, incarnation) VALUES (p_node, '', p_version + 1, p_incarnation)
        ON CONFLICT (node, topic) DO UPDATE SET version = excluded.version, incarnation = excluded.incarnation, at = excluded.at;
        RETURN;
    END IF;
    -- One that comes late must not bring the node back.
    IF EXISTS (SELECT FROM departures l WHERE l.node = p_node AND l.topic = '' AND l.incarnation = p_incarnation) THEN
        RETURN;
    END IF;
    IF v_incarnation NOT IN ('', p_incarnation) AND p_version < v_version THEN
        -- Of an earlier life.
        RETURN;
    END IF;
    IF v_incarnation IS DISTINCT FROM p_incarnation THEN
        -- A life with a clock that was set back counts from lower on than the last one.
        DELETE FROM departures l WHERE l.node = p_node AND l.version > p_version;
    END IF;
    INSERT INTO nodes AS known (node, incarnation, version, expires_at)
    VALUES (p_node, p_incarnation, p_version, now() + make_interval(secs => p_lease_seconds))
    ON CONFLICT (node) DO UPDATE SET incarnation = excluded.incarnation, renewed_at = now(), expires_at = excluded.expires_at,
        version = CASE
            WHEN known.incarnation IN ('', excluded.incarnation) THEN greatest(known.version, excluded.version) ELSE excluded.version
        END
    RETURNING known.xmax = 0 INTO v_is_new;
    -- Here, because nothing that follows waits for another's leaves.
    PERFORM sparq_forget_departures(1000);
    IF v_incarnation NOT IN ('', p_incarnation) THEN
        PERFORM sparq_forget(p_node);
        differs := p_topics > 0;
        RETURN;
    END IF;
    IF v_is_new THEN
        PERFORM sparq_forget(p_node);
    END IF;
    -- Without a row there can be no directory, whatever its version: the node was taken for dead.
    IF v_incarnation IS NULL THEN
        differs := p_topics > 0;
        RETURN;
    END IF;
    IF NOT p_settled OR v_version <> p_version THEN
        RETURN;
    END IF;
    SELECT count(*), coalesce(sum(d.checksum), 0) INTO v_topics, v_checksum FROM directory d WHERE d.node = p_node;
    IF v_topics = p_topics AND v_checksum = p_checksum THEN
        RETURN;
    END IF;
    differs := true;
    IF p_sums IS NULL THEN
        PERFORM sparq_forget(p_node);
        RETURN;
    END IF;
    WITH wrong AS (
        SELECT x.place - 1 AS bucket, coalesce(k.topics, 0) AS topics
        FROM unnest(p_sums) WITH ORDINALITY AS x (sum, place)
        LEFT JOIN (
            SELECT d.checksum % cardinality(p_sums) AS bucket, count(*) AS topics, sum(d.checksum) AS sum
            FROM directory d WHERE d.node = p_node GROUP BY 1
        ) k ON k.bucket = x.place - 1
        WHERE x.sum <> coalesce(k.sum, 0)
    ), counted AS (
        -- Others come first the next time.
        SELECT w.bucket, sum(w.topics) OVER (ORDER BY random()) - w.topics AS before FROM wrong w
    )
    SELECT array_agg(c.bucket ORDER BY c.bucket), array_agg(c.bucket) FILTER (WHERE c.before < 5000) INTO buckets, v_listed FROM counted c;
    topics := ARRAY(SELECT d.topic FROM directory d WHERE d.node = p_node AND d.checksum % cardinality(p_sums) = ANY (v_listed));
END
$$;
COMMENT ON FUNCTION sparq_renew IS 'Renews a node''s lease and compares its topics with the directory.';

-- For workers of the version before, and for nodes that cannot mend a difference.
CREATE OR REPLACE FUNCTION sparq_lease(
    p_node text, p_incarnation text, p_version bigint, p_topics bigint, p_checksum bigint, p_settled boolean, p_leaving boolean,
    p_lease_seconds bigint
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RETURN (
        SELECT r.differs
        FROM sparq_renew(p_node, p_incarnation, p_version, p_topics, p_checksum, p_settled, p_leaving, p_lease_seconds, NULL) r
    );
END
$$;
COMMENT ON FUNCTION sparq_lease IS 'As sparq_renew, for workers of the version before.';
