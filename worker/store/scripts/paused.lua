-- Read the pauses of many datasets at one instant.
--
-- KEYS    1.. the datasets
-- Returns {now ms, {field, value ...} of each}
-- Cost    O(datasets)
local reply = {now_ms()}
for i, dataset in ipairs(KEYS) do reply[i + 1] = redis.call('HGETALL', dataset) end
return reply
