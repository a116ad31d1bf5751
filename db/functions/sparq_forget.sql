-- Removes all that the directory knows of a node. The caller has locked the node's row, or deleted it.
CREATE OR REPLACE FUNCTION sparq_forget(p_node text) RETURNS void LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
BEGIN
    WITH gone AS (DELETE FROM directory d WHERE d.node = p_node RETURNING d.topic)
    -- Of long ago: who caused it does not announce it, so the next worker that looks takes it over.
    INSERT INTO losses (node, users, at)
    SELECT p_node, array_agg(substr(g.topic, 6)), '-infinity' FROM gone g WHERE g.topic LIKE 'user:%' HAVING count(*) > 0;
END
$$;
COMMENT ON FUNCTION sparq_forget IS 'Removes a node''s rows from the directory.';
