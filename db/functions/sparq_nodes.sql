-- Which nodes have subscribers of the topics, by the topics' indexes.
--
-- Plans of such look-ups are cached when the tables may still be empty, so scans of whole tables are ruled out. JIT would be led astray by the
-- cost that this adds. Every message asks: so one plan is kept for all lengths of the array.
CREATE OR REPLACE FUNCTION sparq_nodes(p_topics text[]) RETURNS TABLE (topic_index bigint, node text)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY
    SELECT x.index, d.node::text
    FROM unnest(p_topics) WITH ORDINALITY AS x (topic, index)
    CROSS JOIN LATERAL (SELECT k.node FROM directory k WHERE k.topic = x.topic OFFSET 0) d;
END
$$;
COMMENT ON FUNCTION sparq_nodes IS 'The nodes that have subscribers of the topics.';
