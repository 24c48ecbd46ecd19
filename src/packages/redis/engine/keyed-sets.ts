/** Adds a member to the set of a key. */
export function join<K, T>(all: Map<K, Set<T>>, key: K, member: T): void {
  const members = all.get(key)
  if (members === undefined) all.set(key, new Set([member]))
  else members.add(member)
}

/** Removes a member from the set of a key, and the key with its last member. */
export function leave<K, T>(all: Map<K, Set<T>>, key: K, member: T): void {
  const members = all.get(key)
  if (members?.delete(member) === true && members.size === 0) all.delete(key)
}
