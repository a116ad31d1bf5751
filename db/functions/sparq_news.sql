-- As sparq_pages, but an item that is at the head has no row.
CREATE OR REPLACE FUNCTION sparq_news(p_topics text[], p_afters bigint[], p_events bigint, p_bytes bigint, p_total bigint)
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
