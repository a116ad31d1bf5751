-- Those of the messages that took effect before, by their index: one row for each durable event that they had and that is kept; a message
-- without any has one row without event.
CREATE OR REPLACE FUNCTION sparq_repeats(p_users text[], p_ids text[], p_fingerprints bigint[])
RETURNS TABLE (
    message bigint, reply text, mismatch boolean, changes text, topic text, seq bigint, at_ms bigint, type text, data text
) LANGUAGE plpgsql STABLE SET enable_seqscan = off SET jit = off AS $$
BEGIN
    RETURN QUERY
    SELECT m.index, i.reply, i.fingerprint <> m.fingerprint, i.changes,
        e.topic, e.seq, (extract(epoch FROM e.at) * 1000)::bigint, e.type, e.data
    FROM unnest(p_users, p_ids, p_fingerprints) WITH ORDINALITY AS m (user_id, message_id, fingerprint, index)
    CROSS JOIN LATERAL (SELECT * FROM inbox b WHERE b.user_id = m.user_id AND b.message_id = m.message_id LIMIT 1) i
    LEFT JOIN LATERAL (
        SELECT r.ordinal, l.*
        FROM unnest(i.topics, i.seqs) WITH ORDINALITY AS r (topic, seq, ordinal)
        CROSS JOIN LATERAL (SELECT * FROM events k WHERE k.topic = r.topic AND k.seq = r.seq LIMIT 1) l
    ) e ON true
    ORDER BY m.index, e.ordinal;
END
$$;
COMMENT ON FUNCTION sparq_repeats IS 'What messages brought that took effect before.';
