-- A user is present while some node has subscribers of their topic: the directory knows it already. Whoever removes rows of a whole node
-- leaves word of the users whose rows they were, so that somebody looks after them.
--
-- "user:" is how topics of users begin.

ALTER TABLE losses ADD COLUMN users text[] NOT NULL DEFAULT '{}', ADD COLUMN announced boolean NOT NULL DEFAULT false;
COMMENT ON TABLE losses IS 'One row: rows of a node were removed from the directory, not long ago. What the lost node''s handler wants to be said of it, the inbox knows.';
COMMENT ON COLUMN losses.announced IS 'Nothing of it is left to be published. The row stays as long as the node may be asleep, and its queue be there.';
COMMENT ON COLUMN losses.users IS 'Whose presence may have changed by it.';

-- Removes all that the directory knows of a node. The caller has locked the node's row, or deleted it.
CREATE FUNCTION sparq_forget(p_node text) RETURNS void LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
BEGIN
    WITH gone AS (DELETE FROM directory d WHERE d.node = p_node RETURNING d.topic)
    -- Of long ago: who caused it does not announce it, so the next worker that looks takes it over.
    INSERT INTO losses (node, users, at)
    SELECT p_node, array_agg(substr(g.topic, 6)), '-infinity' FROM gone g WHERE g.topic LIKE 'user:%' HAVING count(*) > 0;
END
$$;
COMMENT ON FUNCTION sparq_forget IS 'Removes a node''s rows from the directory.';

-- As in 0001_sparq.sql, but what goes goes by sparq_forget.
CREATE OR REPLACE FUNCTION sparq_lease(
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
        PERFORM sparq_forget(p_node);
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
        PERFORM sparq_forget(p_node);
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
    PERFORM sparq_forget(p_node);
    RETURN true;
END
$$;

-- Which of the users are present, by their indexes, and as of when: a transaction begins before its snapshot, so what a later look sees has a
-- later time. Call it as one statement.
CREATE FUNCTION sparq_presence(p_users text[]) RETURNS TABLE (user_index bigint, is_online boolean, at text)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY
    SELECT x.index, EXISTS (SELECT FROM directory d WHERE d.topic = 'user:' || x.user_id OFFSET 0),
        to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    FROM unnest(p_users) WITH ORDINALITY AS x (user_id, index);
END
$$;
COMMENT ON FUNCTION sparq_presence IS 'Which of the users are present.';
