-- Notes that nodes have no more subscribers of topics, unless a later join says otherwise. The leave stays known (table departures), also if
-- there was nothing to remove. The node's row is locked before its directory rows.
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
COMMENT ON FUNCTION sparq_leave IS 'Notes that nodes have no more subscribers of topics.';
