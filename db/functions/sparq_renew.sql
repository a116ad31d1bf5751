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
CREATE OR REPLACE FUNCTION sparq_renew(
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
