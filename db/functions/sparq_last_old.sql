-- p_seq is an old event. Looks ahead in steps that double, and then halve, and returns an event before which all that it met are old, too.
-- In a topic the numbers tell the order truly, and clocks do not: what comes before an old event is old.
CREATE OR REPLACE FUNCTION sparq_last_old(p_topic text, p_seq bigint, p_before timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_step bigint := 1;
BEGIN
    WHILE EXISTS (SELECT FROM events e WHERE e.topic = p_topic AND e.seq = p_seq + v_step AND e.at < p_before OFFSET 0) LOOP
        p_seq := p_seq + v_step;
        v_step := v_step * 2;
    END LOOP;
    WHILE v_step > 1 LOOP
        v_step := v_step / 2;
        IF EXISTS (SELECT FROM events e WHERE e.topic = p_topic AND e.seq = p_seq + v_step AND e.at < p_before OFFSET 0) THEN
            p_seq := p_seq + v_step;
        END IF;
    END LOOP;
    RETURN p_seq;
END
$$;
COMMENT ON FUNCTION sparq_last_old IS 'The last old event of a topic, from one that is old.';
