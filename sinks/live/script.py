"""The script that moves one partition forward, atomically."""

WRITE = """
-- KEYS: positions, hashes (hourly ones first)
-- ARGV: partition, position expected, position after, hourly hashes, their ttl,
--       then (hash, field, value) each
local held = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if held == ARGV[3] and held ~= ARGV[2] then return false end  -- an answer was lost: it is done
if redis.call('HEXISTS', KEYS[1], 'rebuilding') == 1 then return 'rebuilding' end
if held ~= ARGV[2] then return held end

-- Journal offset a value stands at: after 10 bytes of header come two zig-zag longs, the
-- generation and the offset.
local function offset(value)
  local at, number = 10, 0
  for _ = 1, 2 do
    local factor = 1
    number = 0
    repeat
      at = at + 1
      local byte = string.byte(value, at)
      number = number + (byte % 128) * factor
      factor = factor * 128
    until byte < 128
  end
  return number / 2
end

for i = 6, #ARGV, 3 do
  local key, field, value = KEYS[tonumber(ARGV[i])], ARGV[i + 1], ARGV[i + 2]
  if value == '' then
    redis.call('HDEL', key, field)
  else
    local old = redis.call('HGET', key, field)
    if not old or offset(value) >= offset(old) then redis.call('HSET', key, field, value) end
  end
end
for i = 2, 1 + tonumber(ARGV[4]) do redis.call('EXPIRE', KEYS[i], ARGV[5]) end
-- Empty while the first load of a partition goes on: there is no position to keep yet.
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end
return false
"""
