-- For workers of the version before, and for nodes that cannot mend a difference.
CREATE OR REPLACE FUNCTION sparq_lease(
    p_node text, p_incarnation text, p_version bigint, p_topics bigint, p_checksum bigint, p_settled boolean, p_leaving boolean,
    p_lease_seconds bigint
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RETURN (
        SELECT r.differs
        FROM sparq_renew(p_node, p_incarnation, p_version, p_topics, p_checksum, p_settled, p_leaving, p_lease_seconds, NULL) r
    );
END
$$;
COMMENT ON FUNCTION sparq_lease IS 'As sparq_renew, for workers of the version before.';
