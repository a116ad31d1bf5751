-- How often passwords may be guessed: by whom, and of whom. Fronts do not know whom a message is about, and there are several; so the database counts.

CREATE TABLE guesses (
    subject text COLLATE "C" PRIMARY KEY,
    until timestamptz NOT NULL
);
COMMENT ON TABLE guesses IS
    'One row: a bucket of guesses that is not full (it is again at its time), or an address from which an account logged in (until it is forgotten).';
COMMENT ON COLUMN guesses.until IS 'From then on the row says nothing any more.';
CREATE INDEX guesses_until ON guesses (until);

-- Takes one guess out of each bucket, or none. A bucket has p_bursts guesses and gets one back every p_steps seconds. Where p_known is there, the last
-- bucket does not count. Returns after how many seconds there is a guess; 0 where one was taken.
--
-- Rows are locked in the order given: let all callers name an address before a pair, and a pair before an account.
CREATE FUNCTION messenger_guess(p_known text, p_subjects text[], p_steps double precision[], p_bursts integer[]) RETURNS double precision
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

-- The guess was right, or was none: it goes back into the buckets it was taken from. With p_days the address is known for so long.
CREATE FUNCTION messenger_guessed(p_known text, p_subjects text[], p_steps double precision[], p_days integer) RETURNS void
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
