-- The removal of a node is committed together with what others are to hear of it; a worker that dies before it has published that must
-- leave word of it.
CREATE TABLE losses (
    loss bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    node text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE losses IS 'One row: a node was removed, and that may not be announced yet. What is to be said, the inbox knows.';
