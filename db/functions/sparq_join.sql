-- Notes that nodes have subscribers of topics, and renews their leases. A join that is older than a leave writes nothing.
--
-- p_nodes, p_node_versions: each node once, and the latest of its changes.
-- p_topics … p_checksums: the rows, as pairs of topic and node that are distinct.
--
-- Rows: the topics of users that were written.
--
-- directory.version is the first change as of which the node has had the topic without a break. The node's row and its directory rows come and go
-- together, and the node's row is locked first. So a row that a join finds, and leaves as it is, stays.
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
