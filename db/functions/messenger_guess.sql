-- Takes one guess out of each bucket, or none. A bucket has p_bursts guesses and gets one back every p_steps seconds. Where p_known is there, the last
-- bucket does not count. Returns after how many seconds there is a guess; 0 where one was taken.
--
-- Rows are locked in the order given: let all callers name an address before a pair, and a pair before an account.
CREATE OR REPLACE FUNCTION messenger_guess(p_known text, p_subjects text[], p_steps double precision[], p_bursts integer[]) RETURNS double precision
LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_wait double precision;
BEGIN
    IF EXISTS (SELECT FROM guesses g WHERE g.subject = p_known AND g.until > v_now) THEN
        p_subjects := trim_array(p_subjects, 1);
    END IF;
    -- Whoever is over the limit already costs no write.
    SELECT max(extract(epoch FROM g.until - v_now)::double precision - x.step * (x.burst - 1)) INTO v_wait
    FROM unnest(p_subjects, p_steps, p_bursts) AS x (subject, step, burst) JOIN guesses g ON g.subject = x.subject;
    IF v_wait > 0 THEN
        RETURN v_wait;
    END IF;
    INSERT INTO guesses AS g (subject, until)
    SELECT x.subject, v_now + make_interval(secs => x.step)
    FROM unnest(p_subjects, p_steps) WITH ORDINALITY AS x (subject, step, place)
    WHERE x.subject IS NOT NULL ORDER BY x.place
    ON CONFLICT (subject) DO UPDATE SET until = greatest(g.until, v_now) + (excluded.until - v_now);
    -- Somebody may have been faster.
    SELECT max(extract(epoch FROM g.until - v_now)::double precision - x.step * x.burst) INTO v_wait
    FROM unnest(p_subjects, p_steps, p_bursts) AS x (subject, step, burst) JOIN guesses g ON g.subject = x.subject;
    IF v_wait > 0 THEN
        UPDATE guesses g SET until = g.until - make_interval(secs => x.step)
        FROM unnest(p_subjects, p_steps) AS x (subject, step) WHERE g.subject = x.subject;
        RETURN v_wait;
    END IF;
    -- Seldom enough.
    IF random() < 0.01 THEN
        DELETE FROM guesses WHERE subject IN (SELECT o.subject FROM guesses o WHERE o.until < v_now LIMIT 1000 FOR UPDATE SKIP LOCKED);
    END IF;
    RETURN 0;
END
$$;
COMMENT ON FUNCTION messenger_guess IS 'Takes a guess, or says how long to wait for one.';
