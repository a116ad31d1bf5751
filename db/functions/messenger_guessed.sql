-- The guess was right, or was none: it goes back into the buckets it was taken from. With p_days the address is known for so long.
CREATE OR REPLACE FUNCTION messenger_guessed(p_known text, p_subjects text[], p_steps double precision[], p_days integer) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    IF EXISTS (SELECT FROM guesses g WHERE g.subject = p_known AND g.until > v_now) THEN
        p_subjects := trim_array(p_subjects, 1);
    END IF;
    PERFORM 1 FROM guesses g WHERE g.subject = ANY (p_subjects) ORDER BY array_position(p_subjects, g.subject) FOR UPDATE;
    UPDATE guesses g SET until = g.until - make_interval(secs => x.step)
    FROM unnest(p_subjects, p_steps) AS x (subject, step) WHERE g.subject = x.subject;
    IF p_days IS NOT NULL THEN
        INSERT INTO guesses (subject, until) VALUES (p_known, v_now + make_interval(days => p_days))
        ON CONFLICT (subject) DO UPDATE SET until = excluded.until;
    END IF;
END
$$;
COMMENT ON FUNCTION messenger_guessed IS 'Gives a guess back.';
