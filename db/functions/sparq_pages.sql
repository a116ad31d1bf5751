-- One page of the log for each item, with at most p_events events and about p_bytes bytes of data, but always one event if there is one.
-- Each item has at least one row; an empty page has one without event.
--
-- Once the pages together have p_total bytes, the rest are empty: who asked sees by the head that there is more.
--
-- A page is walked along an index and ends at its limit. Left to itself the server may read all of a large topic and sort it.
CREATE OR REPLACE FUNCTION sparq_pages(p_topics text[], p_afters bigint[], p_events bigint, p_bytes bigint, p_total bigint)
RETURNS TABLE (item bigint, head bigint, floor bigint, seq bigint, at_ms bigint, type text, data text)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET jit = off SET enable_bitmapscan = off SET enable_sort = off AS $$
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
