-- Where the topics' logs end and begin; topics without events have none of both. Settings as in sparq_nodes.
CREATE OR REPLACE FUNCTION sparq_heads(p_topics text[]) RETURNS TABLE (topic text, seq bigint, floor bigint)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY
    SELECT x.topic, t.seq, t.floor
    FROM unnest(p_topics) AS x (topic)
    CROSS JOIN LATERAL (SELECT k.seq, k.floor FROM topics k WHERE k.topic = x.topic LIMIT 1) t;
END
$$;
COMMENT ON FUNCTION sparq_heads IS 'The last numbers of the topics, and the last that are no longer kept.';
