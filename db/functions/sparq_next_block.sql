-- Behind a table's last block comes its first.
CREATE OR REPLACE FUNCTION sparq_next_block(p_table regclass, p_block bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p_block * current_setting('block_size')::bigint < pg_relation_size(p_table) THEN p_block ELSE 0 END
$$;
COMMENT ON FUNCTION sparq_next_block IS 'The block, or the first one where the table has none of that number.';
