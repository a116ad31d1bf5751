-- The messenger's own tables: accounts, rooms, and who is in which. What is said lies in the topics' log, like all events.
--
-- Names are compared byte by byte (COLLATE "C"), as in Sparq's own tables.

CREATE TABLE users (
    name text COLLATE "C" PRIMARY KEY CHECK (name ~ '^[a-z0-9_.-]{3,32}$'),
    display text NOT NULL,
    password text NOT NULL,
    origin text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE users IS 'One row: an account.';
COMMENT ON COLUMN users.display IS 'How the name is shown; the name itself until its owner says otherwise.';
COMMENT ON COLUMN users.password IS 'PHC string: algorithm, its parameters, salt, hash.';
COMMENT ON COLUMN users.origin IS 'Which message made the account, so that a repeat of that message is known from somebody else''s.';

CREATE TABLE rooms (
    name text COLLATE "C" PRIMARY KEY CHECK (name ~ '^[a-z0-9_.-]{1,64}$'),
    owner text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE rooms IS 'One row: a room, whether anybody is in it or not.';
COMMENT ON COLUMN rooms.owner IS 'Who created it. No reference to users: sessions can come from elsewhere, as the development cookie does.';

CREATE TABLE members (
    room text COLLATE "C" NOT NULL REFERENCES rooms (name) ON DELETE CASCADE,
    member text COLLATE "C" NOT NULL,
    joined_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (room, member)
);
COMMENT ON TABLE members IS 'One row: a user is in a room, and may read and write there.';
CREATE INDEX members_member ON members (member, room);

-- One plan for all lengths of the arrays, and no scan of the whole table: every message to a room asks, see 0001_sparq.sql.
CREATE FUNCTION messenger_memberships(p_rooms text[], p_members text[]) RETURNS TABLE (room text, member text)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT m.room::text, m.member::text
    FROM unnest(p_rooms, p_members) AS k (room, member)
    JOIN members m ON m.room = k.room AND m.member = k.member;
END
$$;
COMMENT ON FUNCTION messenger_memberships IS 'Those of the pairs that are members.';
