-- Nodes with many topics come back. What the directory says already is not written again, a join renews the node's lease, and where nothing is new
-- nothing is read.
--
-- directory.version is the first change as of which the node has had the topic without a break. So it stays as it is for as long as the node has
-- the topic, and every leave that the node sent before that has a lower number.
--
-- A node's row and its directory rows come and go together: whoever makes the node's row removes what stands there under its name, and whoever
-- removes directory rows holds the node's row, if there is one. So a row that a join finds, and leaves as it is, stays.

COMMENT ON COLUMN directory.version IS 'The node''s own count of its changes, as of which it has had the topic: an older change never undoes a newer one.';

-- Notes that nodes have subscribers of topics, and renews their leases.
--
-- p_nodes, p_node_versions: each node once, and the latest of its changes.
-- p_topics … p_checksums: the rows, as pairs of topic and node that are distinct.
--
-- Rows: the topics of users that were written.
CREATE FUNCTION sparq_join(
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
    END IF;
    RETURN QUERY
    WITH written AS (
        INSERT INTO directory AS known (topic, node, version, checksum)
        SELECT x.topic, x.node, x.version, x.checksum
        FROM unnest(p_topics, p_topic_nodes, p_versions, p_checksums) AS x (topic, node, version, checksum)
        -- A conflict would lock the row, and that is a write too.
        WHERE NOT EXISTS (
            SELECT FROM directory k
            WHERE k.topic = x.topic COLLATE "C" AND k.node = x.node COLLATE "C" AND k.version >= x.version
        )
        ORDER BY x.topic COLLATE "C", x.node COLLATE "C"
        ON CONFLICT (topic, node) DO UPDATE SET version = excluded.version WHERE known.version < excluded.version
        RETURNING known.topic
    )
    SELECT w.topic::text FROM written w WHERE w.topic LIKE 'user:%';
END
$$;
COMMENT ON FUNCTION sparq_join(text[], bigint[], text[], text[], bigint[], bigint[], bigint)
    IS 'Notes that nodes have subscribers of topics, and renews their leases.';

-- For workers of the version before: as of the message that asked.
CREATE OR REPLACE FUNCTION sparq_join(
    p_nodes text[], p_topics text[], p_versions bigint[], p_checksums bigint[], p_lease_seconds bigint
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_nodes text[];
    v_versions bigint[];
BEGIN
    SELECT array_agg(n.node), array_agg(n.version) INTO v_nodes, v_versions
    FROM (SELECT x.node, max(x.version) AS version FROM unnest(p_nodes, p_versions) AS x (node, version) GROUP BY x.node) n;
    PERFORM FROM sparq_join(v_nodes, v_versions, p_topics, p_nodes, p_versions, p_checksums, p_lease_seconds);
END
$$;
COMMENT ON FUNCTION sparq_join(text[], text[], bigint[], bigint[], bigint) IS 'As the other one, for workers of the version before.';

-- As sparq_pages, but an item that is at the head has no row.
CREATE FUNCTION sparq_news(p_topics text[], p_afters bigint[], p_events bigint, p_bytes bigint, p_total bigint)
RETURNS TABLE (item bigint, head bigint, floor bigint, seq bigint, at_ms bigint, type text, data text)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    v_items bigint[];
    v_topics text[];
    v_afters bigint[];
BEGIN
    SELECT array_agg(x.item ORDER BY x.item), array_agg(x.topic ORDER BY x.item), array_agg(x.after ORDER BY x.item)
    INTO v_items, v_topics, v_afters
    FROM unnest(p_topics, p_afters) WITH ORDINALITY AS x (topic, after, item)
    LEFT JOIN LATERAL (SELECT k.seq FROM topics k WHERE k.topic = x.topic LIMIT 1) t ON true
    WHERE coalesce(t.seq, 0) <> x.after;
    IF v_items IS NOT NULL THEN
        RETURN QUERY
        SELECT v_items[p.item], p.head, p.floor, p.seq, p.at_ms, p.type, p.data
        FROM sparq_pages(v_topics, v_afters, p_events, p_bytes, p_total) p;
    END IF;
END
$$;
COMMENT ON FUNCTION sparq_news IS 'Pages of the topics'' logs, of those that have more.';

-- As in 0006_presence.sql, but a node that gets its row by it begins with an empty directory.
CREATE OR REPLACE FUNCTION sparq_lease(
    p_node text, p_incarnation text, p_version bigint, p_topics bigint, p_checksum bigint, p_settled boolean, p_leaving boolean,
    p_lease_seconds bigint
) RETURNS boolean LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
DECLARE
    v_incarnation text;
    v_version bigint;
    v_is_new boolean;
    v_topics bigint;
    v_checksum bigint;
BEGIN
    IF p_leaving THEN
        DELETE FROM nodes n WHERE n.node = p_node;
        PERFORM sparq_forget(p_node);
        RETURN false;
    END IF;
    SELECT n.incarnation, n.version INTO v_incarnation, v_version FROM nodes n WHERE n.node = p_node FOR UPDATE;
    INSERT INTO nodes AS known (node, incarnation, version, expires_at)
    VALUES (p_node, p_incarnation, p_version, now() + make_interval(secs => p_lease_seconds))
    ON CONFLICT (node) DO UPDATE SET incarnation = excluded.incarnation, renewed_at = now(), expires_at = excluded.expires_at,
        version = CASE
            WHEN known.incarnation IN ('', excluded.incarnation) THEN greatest(known.version, excluded.version) ELSE excluded.version
        END
    RETURNING known.xmax = 0 INTO v_is_new;
    IF v_incarnation <> '' AND v_incarnation <> p_incarnation THEN
        PERFORM sparq_forget(p_node);
        RETURN p_topics > 0;
    END IF;
    IF v_is_new THEN
        PERFORM sparq_forget(p_node);
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
    PERFORM sparq_forget(p_node);
    RETURN true;
END
$$;
