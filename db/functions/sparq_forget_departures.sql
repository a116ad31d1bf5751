-- Forgets at most p_limit leaves that no older join can follow any more. What nodes ask waits at the broker for 60 s at most
-- (WorkerTopology.nodePatience), and a worker that stood still with it has lost it by then.
CREATE OR REPLACE FUNCTION sparq_forget_departures(p_limit bigint) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
    DELETE FROM departures d USING (
        SELECT k.node, k.topic FROM departures k WHERE k.at < now() - interval '3 min'
        -- Two workers may do so at once: none waits for the other.
        ORDER BY k.at LIMIT p_limit FOR UPDATE SKIP LOCKED
    ) x WHERE d.node = x.node AND d.topic = x.topic;
END
$$;
COMMENT ON FUNCTION sparq_forget_departures IS 'Forgets leaves of long ago.';
