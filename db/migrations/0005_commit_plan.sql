-- Every message calls it: one plan for all lengths of its arrays, as for the look-ups (0001_sparq.sql). Planning anew each time was a tenth of
-- its cost.
ALTER FUNCTION sparq_commit SET plan_cache_mode = force_generic_plan;
