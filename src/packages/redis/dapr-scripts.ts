// Atomic steps of Dapr's components for Redis, in Lua for a real Redis. The built-in one recognises these texts,
// and Dapr's own, by what they do (`commands/scripts.ts`).

/**
 * Saves a state item: KEYS[1] its key, ARGV[1] the etag (`0`: none), ARGV[2] the data, ARGV[3] `0` for a first write. Returns the new
 * version. Fails if the item has another version, or exists although it must not. Replaces a key of another type. Unlike Dapr's script,
 * it allows an ordinary save after a first write.
 */
export const SAVE_SCRIPT = `local version = redis.pcall('HGET', KEYS[1], 'version')
if type(version) == 'table' then
  redis.call('DEL', KEYS[1])
  version = false
end
if version and version ~= '' and version ~= ARGV[1] and (ARGV[1] ~= '0' or ARGV[3] == '0') then
  return redis.error_reply('ERR failed to set key ' .. KEYS[1])
end
redis.call('HSET', KEYS[1], 'data', ARGV[2])
if ARGV[3] == '0' then
  redis.call('HSET', KEYS[1], 'first-write', '0')
end
return redis.call('HINCRBY', KEYS[1], 'version', 1)`

/** Deletes a state item: KEYS[1] its key, ARGV[1] the etag (`0`: none). Returns the number of deleted keys. Fails if the item has another version. */
export const DELETE_SCRIPT = `local version = redis.pcall('HGET', KEYS[1], 'version')
local isVersioned = version and type(version) ~= 'table' and version ~= ''
if isVersioned and version ~= ARGV[1] and ARGV[1] ~= '0' then
  return redis.error_reply('ERR failed to delete ' .. KEYS[1])
end
return redis.call('DEL', KEYS[1])`

/** Deletes a lock: KEYS[1] its key, ARGV[1] the owner. Returns 1; -1 without a lock, -2 for another owner's. */
export const UNLOCK_SCRIPT = `local owner = redis.call('GET', KEYS[1])
if not owner then
  return -1
end
if owner ~= ARGV[1] then
  return -2
end
return redis.call('DEL', KEYS[1])`
