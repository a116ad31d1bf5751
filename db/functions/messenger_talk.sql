-- The topic, and whom its user talks with. NULL if the data are not a direct message's, whatever the type says: that must stop nobody's commit.
--
-- The index events_talk (0008_growth.sql) holds what this returns. To return something else, write another function and another index.
CREATE OR REPLACE FUNCTION messenger_talk(p_topic text, p_data text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    -- A message to oneself has both names equal.
    RETURN p_topic || E'\n' || CASE WHEN p_topic = 'user:' || (p_data::json ->> 'from') THEN p_data::json ->> 'to' ELSE p_data::json ->> 'from' END;
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION messenger_talk IS 'Between whom a direct message is. Indexed: what it returns must not change.';
