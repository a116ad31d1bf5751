-- One sweep at a time; true for the transaction that has it. The number is the same in all versions of the workers.
CREATE OR REPLACE FUNCTION sparq_sweeping() RETURNS boolean LANGUAGE sql VOLATILE AS $$ SELECT pg_try_advisory_xact_lock(6012412646689603585) $$;
COMMENT ON FUNCTION sparq_sweeping IS 'Takes the lock of sweeps, unless another has it.';
